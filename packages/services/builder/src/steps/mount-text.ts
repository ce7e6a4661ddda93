import { invalid, ownValue } from '@berth/base'
import { closest } from '@berth/dockerfile'

/** One `--mount` of a RUN: https://docs.docker.com/reference/dockerfile/#run---mount */
export interface MountText {
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh'
  readonly from: string
  readonly source: string
  readonly target: string
  readonly isReadOnly: boolean
  readonly id: string
  readonly sharing: 'shared' | 'private' | 'locked'
  readonly isRequired: boolean
  readonly mode: number | undefined
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number | undefined
  /** The variable that gets a secret; then there is no file without a `target`. */
  readonly variable: string
}

const types = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const
const sharings = ['shared', 'private', 'locked'] as const
const aliases: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
}
const keys: readonly string[] = [
  'type',
  'from',
  'source',
  'target',
  'readonly',
  'readwrite',
  'id',
  'sharing',
  'required',
  'mode',
  'uid',
  'gid',
  'size',
  'env',
]

/** The `from` of a `--mount`, undefined without one. */
export function mountSource(text: string): string | undefined {
  return /(?:^|,)from=([^,]*)/i.exec(text)?.[1]
}

/** Reads a `--mount` whose variables are expanded. Throws `invalid` in BuildKit's words. */
export function parseMountText(text: string): MountText {
  const fields = new Map(text.split(',').map(parseField))
  const type = oneOf('mount type', fields.get('type') ?? 'bind', types)
  requireAllowed(type, fields)
  const id = fields.get('id') ?? ''
  const source = fields.get('source') ?? ''
  const sharing = oneOf('sharing value', fields.get('sharing') ?? 'shared', sharings)
  return {
    type,
    from: fields.get('from') ?? '',
    source,
    target: targetOf(type, fields, id || source),
    isReadOnly: isReadOnly(type, fields),
    id,
    sharing,
    isRequired: flag('required', fields.get('required')) ?? false,
    mode: numeric('mode', fields.get('mode'), 8),
    uid: numeric('uid', fields.get('uid'), 10) ?? 0,
    gid: numeric('gid', fields.get('gid'), 10) ?? 0,
    sizeBytes: fields.has('size') ? parseSize(fields.get('size') as string) : undefined,
    variable: fields.get('env') ?? '',
  }
}

function parseField(field: string): [string, string] {
  const equals = field.indexOf('=')
  const written = (equals < 0 ? field : field.slice(0, equals)).toLowerCase()
  const key = ownValue(aliases, written) ?? written
  if (equals < 0) {
    if (['readonly', 'readwrite', 'required'].includes(key)) return [key, 'true']
    throw invalid(`invalid field '${field}' must be a key=value pair`)
  }
  if (!keys.includes(key)) {
    throw invalid(`unexpected key '${written}' in '${field}'${hint(written, [...keys, ...Object.keys(aliases)])}`)
  }
  return [key, field.slice(equals + 1)]
}

function hint(word: string, candidates: readonly string[]): string {
  const meant = closest(word, candidates)
  return meant === undefined ? '' : ` (did you mean ${meant}?)`
}

function oneOf<T extends string>(what: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value.toLowerCase())
  if (found === undefined) throw invalid(`unsupported ${what} ${JSON.stringify(value)}${hint(value, allowed)}`)
  return found
}

function requireAllowed(type: MountText['type'], fields: ReadonlyMap<string, string>): void {
  if (type === 'bind' || type === 'tmpfs') {
    for (const key of ['mode', 'uid', 'gid']) {
      if (fields.has(key)) throw invalid(`${key} not allowed for ${JSON.stringify(type)} type mounts`)
    }
  }
  if (fields.has('sharing') && type !== 'cache') throw invalid(`invalid cache sharing set for ${type} mount`)
  if (fields.has('size') && type !== 'tmpfs') throw invalid(`unexpected key 'size' for mount type '${type}'`)
  if (fields.has('env') && type !== 'secret') throw invalid(`unexpected key 'env' for mount type '${type}'`)
  if (type === 'secret' && fields.has('from')) throw invalid('secret mount should not have a from')
}

function targetOf(type: MountText['type'], fields: ReadonlyMap<string, string>, name: string): string {
  const target = fields.get('target') ?? ''
  if (target !== '') return target
  if (type === 'secret' && fields.has('env')) return ''
  if (type === 'secret' && name !== '') return `/run/secrets/${name.split('/').at(-1)}`
  if (type === 'secret') throw invalid('invalid secret mount. one of source, target required')
  if (type === 'ssh') return '/run/buildkit/ssh_agent.0'
  throw invalid('invalid mount target "/"')
}

function isReadOnly(type: MountText['type'], fields: ReadonlyMap<string, string>): boolean {
  const readonly = flag('readonly', fields.get('readonly'))
  if (readonly !== undefined) return readonly
  const readwrite = flag('readwrite', fields.get('readwrite'))
  if (readwrite !== undefined) return !readwrite
  return type !== 'cache' && type !== 'tmpfs'
}

function flag(key: string, value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined
  if (['1', 't', 'true'].includes(value.toLowerCase())) return true
  if (['0', 'f', 'false'].includes(value.toLowerCase())) return false
  throw invalid(`invalid value for ${key}: ${value}`)
}

function numeric(key: string, value: string | undefined, base: 8 | 10): number | undefined {
  if (value === undefined) return undefined
  const isNumber = base === 8 ? /^[0-7]{1,5}$/.test(value) : /^\d{1,10}$/.test(value)
  if (!isNumber) throw invalid(`invalid value ${value} for ${key}`)
  return Number.parseInt(value, base)
}

const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }

function parseSize(text: string): number {
  const m = /^(\d+)\s?([bkmg]?)(?:i?b)?$/i.exec(text)
  if (!m) throw invalid(`invalid value for size: ${text}`)
  return Number(m[1]) * (units[(m[2] ?? '').toLowerCase()] as number)
}
