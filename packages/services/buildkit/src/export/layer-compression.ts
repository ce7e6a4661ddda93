import { invalid, parseGoBool } from '@berth/base'
import type { LayerCompression } from '@berth/images'
import type { Export } from './export-outcome.ts'

const algorithms = { uncompressed: 'none', gzip: 'gzip', zstd: 'zstd' } as const
const levels = { none: [0, 0], gzip: [0, 9], zstd: [1, 19] } as const

/** What an output's attributes ask for; gzip where they say nothing. Throws `invalid` in BuildKit's words. */
export function layerCompression(attributes: Export['attributes']): LayerCompression {
  const name = attributes['compression'] ?? 'gzip'
  if (!isAlgorithm(name)) throw invalid(`unsupported compression ${name}`)
  const algorithm = algorithms[name]
  return { algorithm, level: levelOf(attributes['compression-level'], algorithm), isForced: isForced(attributes) }
}

/** Whether it is something else than what a push does of itself. */
export const isUnusual = ({ algorithm, level, isForced }: LayerCompression): boolean =>
  algorithm !== 'gzip' || level !== undefined || isForced

const isAlgorithm = (name: string): name is keyof typeof algorithms => Object.hasOwn(algorithms, name)

function levelOf(text: string | undefined, algorithm: LayerCompression['algorithm']): number | undefined {
  if (text === undefined) return undefined
  if (!/^[+-]?\d+$/.test(text)) throw invalid(`non-integer value ${text} specified for compression-level`)
  const [level, [least, most]] = [Number(text), levels[algorithm]]
  if (algorithm === 'none') return undefined
  if (level < least || level > most)
    throw invalid(`compression-level ${level} is none of ${algorithm}: ${least} to ${most}`)
  return level
}

function isForced({ 'force-compression': text = 'false' }: Export['attributes']): boolean {
  const parsed = parseGoBool(text)
  if (parsed === undefined) throw invalid(`non-bool value ${text} specified for force-compression`)
  return parsed
}
