import { invalid } from '@berth/base'
import type { BuildRequest } from '../builder.ts'

/**
 * The time that a reproducible image is of, in seconds since 1970; undefined: it is of now. The classic builder knows no
 * such thing. https://reproducible-builds.org/specs/source-date-epoch/
 */
export function sourceDateEpoch({ args, style }: Pick<BuildRequest, 'args' | 'style'>): number | undefined {
  const text = args['SOURCE_DATE_EPOCH']
  if (style === 'classic' || text === undefined || text === '') return undefined
  if (!/^\d{1,11}$/.test(text)) throw invalid(`invalid SOURCE_DATE_EPOCH: ${JSON.stringify(text)}`)
  return Number(text)
}

/** As Go writes it. */
export const epochText = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
