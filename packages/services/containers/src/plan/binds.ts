import { invalid, messageOf } from '@berth/base'
import { requireVolumeName } from '@berth/volumes'
import { cleanDestination, cleanPath } from './clean-path.ts'

export interface Bind {
  readonly type: 'bind' | 'volume'
  /** A path, or a volume's name; '' for an anonymous one. */
  readonly source: string
  readonly destination: string
  /** The third part, as given. */
  readonly mode: string
  readonly isReadOnly: boolean
  /** '' when none was given. */
  readonly propagation: string
  /** An empty volume is filled with what the image has there. */
  readonly isFilled: boolean
}

/** Words of which each group may be given once. */
const groups = {
  access: ['rw', 'ro'],
  label: ['z', 'Z'],
  propagation: ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'],
  copy: ['nocopy'],
  consistency: ['consistent', 'cached', 'delegated'],
} as const

type Group = keyof typeof groups

/** `source:destination[:options]` of a host path or a volume. Throws `invalid` in Docker's words. */
export function parseBind(text: string): Bind {
  const [source = '', destination, mode = '', ...rest] = text.split(':')
  const fail = (reason?: string) => invalid(`invalid volume specification: '${text}'${reason ? `: ${reason}` : ''}`)
  if (rest.length > 0 || source === '' || destination === '') throw fail()
  const words = parseMode(mode)
  const type = source.startsWith('/') ? 'bind' : 'volume'
  const inBind = (reason: string) => fail(`invalid mount config for type "${type}": ${reason}`)
  // One part is an anonymous volume.
  if (destination === undefined)
    return { ...parsed(words, mode), source: '', destination: clean(source, inBind), type: 'volume' }
  if (type === 'bind' && words.copy !== undefined) throw inBind('field VolumeOptions must not be specified')
  if (type === 'volume' && words.propagation !== undefined) throw inBind('field BindOptions must not be specified')
  if (type === 'volume') requireName(source)
  const cleanSource = type === 'bind' ? cleanPath(source) : source
  return { ...parsed(words, mode), source: cleanSource, destination: clean(destination, inBind), type }
}

/** Throws `invalid` in Docker's words for what cannot name a volume. */
export function requireName(name: string): void {
  try {
    requireVolumeName(name)
  } catch (error) {
    throw invalid(`create ${name}: ${messageOf(error)}`, error)
  }
}

function parsed(words: Words, mode: string): Pick<Bind, 'mode' | 'isReadOnly' | 'propagation' | 'isFilled'> {
  const { access, propagation = '', copy } = words
  return { mode, isReadOnly: access === 'ro', propagation, isFilled: copy === undefined }
}

type Words = Partial<Record<Group, string>>

/** The words of a mode, by what they are about. Throws `invalid`. */
export function parseMode(mode: string): Words {
  const words: Words = {}
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
