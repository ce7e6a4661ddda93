import { invalid, messageOf, parseTimeNs } from '@berth/base'
import { parseJson } from './go-json.ts'
import { decode, list, string, struct } from './schema.ts'

const falseWords = new Set(['', '0', 'no', 'false', 'none'])

/** A boolean parameter by Docker's rule: anything but '', 0, no, false and none is true. */
export function boolParameter(query: URLSearchParams, name: string, fallback = false): boolean {
  const value = query.get(name)
  return value === null ? fallback : !falseWords.has(value.trim().toLowerCase())
}

/** A boolean parameter where Docker reads it as Go does. Throws `invalid` for another word. */
export function strictBoolParameter(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)
  if (!value) return false
  if (/^(1|t|T|TRUE|true|True)$/.test(value)) return true
  if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false
  throw invalid(
    `invalid value for ${name}: ${value}: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
  )
}

/** A decimal integer, or undefined when the parameter is absent or empty. */
export function intParameter(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name)
  if (!value) return undefined
  if (!/^[+-]?\d+$/.test(value)) throw invalid(`strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`)
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw invalid(`strconv.Atoi: parsing ${JSON.stringify(value)}: value out of range`)
}

/** A side of a terminal in characters, which must be given. */
export function sizeParameter(query: URLSearchParams, name: 'h' | 'w'): number {
  const value = query.get(name) ?? ''
  const subject = `invalid resize ${name === 'h' ? 'height' : 'width'} ${JSON.stringify(value)}`
  if (!/^[+-]?\d+$/.test(value)) throw invalid(`${subject}: invalid syntax`)
  const number = Number(value)
  if (number < 0 || number > 4_294_967_295) throw invalid(`${subject}: value out of range`)
  return number
}

/** Seconds with up to nine digits of fraction, or an RFC 3339 time, as nanoseconds; undefined when absent or 0. */
export function timeParameter(query: URLSearchParams, name: string): bigint | undefined {
  const value = query.get(name)
  if (!value) return undefined
  const time = parseTimestamp(value)
  if (time === undefined) throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`)
  return time
}

/** As `timeParameter`, undefined when it is no time. */
export function parseTimestamp(value: string): bigint | undefined {
  const match = /^(-?)(\d{1,18})(?:\.(\d{1,9})\d*)?$/.exec(value)
  if (!match) return parseTimeNs(value)
  const ns = BigInt(match[2]!) * 1_000_000_000n + BigInt((match[3] ?? '').padEnd(9, '0'))
  return match[1] ? -ns : ns
}

/** The `platform` parameter as the image routes take it: a JSON object; read as os/arch[/variant]. */
export function platformParameter(
  query: URLSearchParams,
  name: 'platform' | 'platforms' = 'platform',
): string | undefined {
  const text = query.get(name)
  if (!text) return undefined
  const { os, architecture, variant } = parsePlatform(text)
  if (!os || !architecture) throw invalid('both OS and Architecture must be provided')
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`
}

/** The platform of the OCI image spec, as Go reads it. */
const platformType = struct<{
  os: string
  architecture: string
  variant: string
  'os.version': string
  'os.features': string[] | null
}>('v1.Platform', {
  os: string,
  architecture: string,
  variant: string,
  'os.version': string,
  'os.features': list(string),
})

function parsePlatform(text: string): Readonly<Record<'os' | 'architecture' | 'variant', string>> {
  try {
    return decode(platformType, parseJson(text), 'Platform')
  } catch (error) {
    throw invalid(`failed to parse platform: ${messageOf(error).replace(/^invalid JSON: /, '')}`, error)
  }
}
