import { invalid } from '@berth/base'

const known = new Set(['type', 'device', 'o', 'size'])
/** What each option needs beside it. */
const companions: readonly (readonly [option: string, needed: string])[] = [
  ['type', 'device'],
  ['device', 'type'],
  ['o', 'device'],
  ['o', 'type'],
]

/** The file system that a volume's directory shows while it is mounted. */
export interface VolumeDevice {
  readonly type: string
  readonly device: string
  /** As mount(8) takes them. */
  readonly options: string
}

/** Checks the options of the driver `local`. Throws `invalid` in Docker's words. */
export function requireDriverOptions(options: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(options).find((name) => !known.has(name))
  if (unknown !== undefined) throw invalid(`invalid option: ${JSON.stringify(unknown)}`)
  const size = options['size']
  if (size !== undefined) {
    if (!/^\d+(?:\.\d+)? ?(?:[kmgtp]i?b?|b)?$/i.test(size)) throw invalid(`invalid size: '${size}'`)
    throw invalid('quota size requested but no quota support')
  }
  for (const [option, needed] of companions) {
    if (Object.hasOwn(options, option) && !Object.hasOwn(options, needed)) {
      throw invalid(`missing required option: ${JSON.stringify(needed)}`)
    }
  }
}

/** What is to be mounted; undefined when the volume is a plain directory. */
export function deviceOf(options: Readonly<Record<string, string>> | null): VolumeDevice | undefined {
  if (options?.['device'] === undefined) return undefined
  return { type: options['type'] ?? '', device: options['device'], options: options['o'] ?? '' }
}
