import type { Built } from './export-outcome.ts'

/** When what was built says it was made, RFC 3339 without fractions: now, unless it was told otherwise. */
export function epochOf({ outcomes }: Pick<Built, 'outcomes'>): string {
  const seconds = outcomes[0]?.outcome.epochSeconds ?? Math.floor(Date.now() / 1000)
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
