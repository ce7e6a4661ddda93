import { invalid, messageOf, notImplemented } from '@berth/base'
import { cleanDestination, cleanPath } from './clean-path.ts'

export interface Bind {
  readonly source: string
  readonly destination: string
  /** The third part, as given. */
  readonly mode: string
  readonly isReadOnly: boolean
  /** '' when none was given. */
  readonly propagation: string
}

/** Words of which each group may be given once. */
const groups = {
  access: ['rw', 'ro'],
  label: ['z', 'Z'],
  propagation: ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'],
  copy: ['nocopy'],
  consistency: ['consistent', 'cached', 'delegated', 'default'],
} as const

type Group = keyof typeof groups

/** `source:destination[:options]` of a host path. Throws `invalid` in Docker's words; `notImplemented` for a volume. */
export function parseBind(text: string): Bind {
  const [source = '', destination, mode = '', ...rest] = text.split(':')
  const fail = (reason?: string) => invalid(`invalid volume specification: '${text}'${reason ? `: ${reason}` : ''}`)
  if (rest.length > 0 || source === '') throw fail()
  if (destination === undefined) throw notImplemented(`anonymous volumes are not supported yet: ${text}`)
  if (destination === '') throw fail()
  const words = parseMode(mode)
  if (!source.startsWith('/')) throw volumeError(source)
  const inBind = (reason: string) => fail(`invalid mount config for type "bind": ${reason}`)
  if (words.copy !== undefined) throw inBind('field VolumeOptions must not be specified')
  return {
    source: cleanPath(source),
    destination: clean(destination, inBind),
    mode,
    isReadOnly: words.access === 'ro',
    propagation: words.propagation ?? '',
  }
}

function parseMode(mode: string): Partial<Record<Group, string>> {
  const words: Partial<Record<Group, string>> = {}
  for (const word of mode === '' ? [] : mode.split(',')) {
    const group = (Object.keys(groups) as Group[]).find((name) => (groups[name] as readonly string[]).includes(word))
    if (group === undefined || words[group] !== undefined) throw invalid(`invalid mode: ${mode}`)
    words[group] = word
  }
  return words
}

function clean(destination: string, fail: (reason: string) => Error): string {
  try {
    return cleanDestination(destination)
  } catch (error) {
    throw fail(messageOf(error))
  }
}

function volumeError(name: string): Error {
  if (name.length < 2) {
    return invalid(`create ${name}: volume name is too short, names should be at least two alphanumeric characters`)
  }
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) {
    return invalid(
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    )
  }
  return notImplemented(`named volumes are not supported yet: ${name}`)
}
