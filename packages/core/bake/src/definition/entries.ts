import { splitCsv, parseGoBool } from '@berth/base'

/** What is told about an entry that cannot be used. */
export class EntryError extends Error {}

/** `type=registry,ref=user/app:cache` */
export interface CacheEntry {
  readonly type: string
  readonly attributes: Readonly<Record<string, string>>
}

/** `type=local,dest=out` */
export interface Output {
  readonly type: string
  readonly dest: string
  readonly attributes: Readonly<Record<string, string>>
}

/** `type=provenance,mode=max` */
export interface Attestation {
  readonly type: string
  readonly isDisabled: boolean
  readonly attributes: Readonly<Record<string, string>>
}

/** `id=token,env=TOKEN`; what is empty was not given. */
export interface Secret {
  readonly id: string
  readonly src: string
  readonly env: string
}

/** `default=path,path` */
export interface SshForward {
  readonly id: string
  readonly paths: readonly string[]
}

/** The fields of a record, as keys and values; a field without `=` is an error. */
function pairs(fields: readonly string[]): [key: string, value: string, field: string][] {
  return fields.map((field) => {
    const at = field.indexOf('=')
    if (at === -1) throw new EntryError(`invalid value ${field}`)
    return [field.slice(0, at), field.slice(at + 1), field]
  })
}

export function parseOutput(text: string): Output {
  const fields = splitCsv(text)
  if (fields.length === 1 && fields[0] === text && !text.startsWith('type=')) {
    return { type: text === '-' ? 'tar' : 'local', dest: text, attributes: {} }
  }
  const given = pairs(fields).map(([key, value]) => [key.toLowerCase().trim(), value] as const)
  return outputFrom(Object.fromEntries(given))
}

export function outputFrom({ type = '', dest = '', ...attributes }: Readonly<Record<string, string>>): Output {
  if (type === '') throw new EntryError('type is required for output')
  return { type, dest, attributes }
}

/** `told` is what the message quotes when there is no type. */
export function cacheFrom({ type = '', ...attributes }: Readonly<Record<string, string>>, told: string): CacheEntry {
  if (type === '') throw new EntryError(`type required for ${JSON.stringify(told)}`)
  return { type, attributes }
}

/** A text can be several references to images. */
export function parseCaches(text: string): CacheEntry[] {
  const fields = splitCsv(text)
  if (!text.includes('=')) return fields.map((ref) => ({ type: 'registry', attributes: { ref } }))
  return [cacheFrom(Object.fromEntries(pairs(fields).map(([key, value]) => [key.toLowerCase(), value])), text)]
}

export function parseAttestation(text: string): Attestation {
  const given: Record<string, string> = {}
  for (const [key, value, field] of pairs(splitCsv(text))) {
    const name = key.toLowerCase().trim()
    if (name === 'disabled' && parseGoBool(value) === undefined) {
      throw new EntryError(
        `invalid value ${field}: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
      )
    }
    given[name === 'type' || name === 'disabled' ? name : key] = value
  }
  if ((given['type'] ?? '') === '') throw new EntryError('attestation type not specified')
  return attestationFrom(given)
}

export function attestationFrom(given: Readonly<Record<string, string>>): Attestation {
  const { type = '', disabled = 'false', ...attributes } = given
  const isDisabled = parseGoBool(disabled)
  if (isDisabled === undefined) {
    throw new EntryError(`strconv.ParseBool: parsing ${JSON.stringify(disabled)}: invalid syntax`)
  }
  return { type, isDisabled, attributes }
}

/** The attestation that `--sbom` and `--provenance` stand for. */
export function canonicalAttestation(type: string, text: string): string {
  const value = parseGoBool(text)
  return value === undefined ? `type=${type},${text}` : `type=${type},disabled=${!value}`
}

export function parseSecret(text: string): Secret {
  const given = { id: '', src: '', env: '' }
  let type = ''
  for (const field of splitCsv(text)) {
    const at = field.indexOf('=')
    if (at === -1) throw new EntryError(`invalid field '${field}' must be a key=value pair`)
    const key = field.slice(0, at).toLowerCase()
    const value = field.slice(at + 1)
    if (key === 'type') {
      if (value !== 'file' && value !== 'env') throw new EntryError(`unsupported secret type ${JSON.stringify(value)}`)
      type = value
    } else if (key === 'source' || key === 'src') given.src = value
    else if (key === 'id' || key === 'env') given[key] = value
    else throw new EntryError(`unexpected key '${key}' in '${field}'`)
  }
  return type === 'env' && given.env === '' ? { ...given, env: given.src, src: '' } : given
}

export function parseSsh(text: string): SshForward {
  const at = text.indexOf('=')
  return at === -1 ? { id: text, paths: [] } : { id: text.slice(0, at), paths: text.slice(at + 1).split(',') }
}

/** Without those that are equal to a later one; what is dropped takes the last one's place, as in buildx. */
export function withoutDuplicates<T>(entries: readonly T[]): T[] {
  const kept = [...entries]
  for (let at = kept.length - 2; at >= 0; at--) {
    const key = JSON.stringify(kept[at])
    const same = kept.findIndex((entry, index) => index > at && JSON.stringify(entry) === key)
    if (same === -1) continue
    kept[same] = kept.at(-1)!
    kept.pop()
  }
  return kept
}

/** The last one of a name takes the place of the first. */
export function lastOfEach<T>(entries: readonly T[], nameOf: (entry: T) => string): T[] {
  return [...new Map(entries.map((entry) => [nameOf(entry), entry])).values()]
}

/** Attestations are told apart by their type. */
export const lastOfEachType = (entries: readonly Attestation[]): Attestation[] =>
  lastOfEach(entries, ({ type }) => type)

/** Secrets and forwarded agents are told apart by their id. */
export const lastOfEachId = <T extends { readonly id: string }>(entries: readonly T[]): T[] =>
  lastOfEach(entries, ({ id }) => id)
