import { invalid } from '@berth/base'
import type { IdMaps, IdRange } from '@berth/linux'

/** Annotations of this name and a bind's destination carry its id map: the Engine API has no field for it. */
const prefix = 'io.berth.bind-idmap.'

/**
 * The id maps that annotations ask for, by destination. Each is `container:host[:length]`, or `u:...` and `g:...` for users
 * or groups alone; several are joined by semicolons. Throws `invalid`.
 */
export function idMapsOf(annotations: Readonly<Record<string, string>>): Map<string, IdMaps> {
  const maps = new Map<string, IdMaps>()
  for (const [name, text] of Object.entries(annotations)) {
    if (name.startsWith(prefix)) maps.set(name.slice(prefix.length), parseIdMap(text))
  }
  return maps
}

export function parseIdMap(text: string): IdMaps {
  const [uids, gids]: [IdRange[], IdRange[]] = [[], []]
  for (const part of text.split(';')) {
    const m = /^(?:([ug]):)?(\d+):(\d+)(?::(\d+))?$/.exec(part)
    const [container, host, length] = [Number(m?.[2]), Number(m?.[3]), Number(m?.[4] ?? 1)]
    if (!m || length === 0 || Math.max(container, host) + length > 2 ** 32 - 1) {
      throw invalid(`invalid id map ${JSON.stringify(text)}: it must be [u:|g:]CONTAINER:HOST[:LENGTH], joined by ;`)
    }
    // The map leads from the file system's ids to those that are seen.
    const range = { inside: host, outside: container, length }
    if (m[1] !== 'g') uids.push(range)
    if (m[1] !== 'u') gids.push(range)
  }
  for (const ranges of [uids, gids]) requireDisjoint(ranges, text)
  return { uids, gids }
}

function requireDisjoint(ranges: readonly IdRange[], text: string): void {
  for (const side of ['inside', 'outside'] as const) {
    const sorted = ranges.toSorted((a, b) => a[side] - b[side])
    const overlap = sorted.some((range, index) => index > 0 && range[side] < end(sorted[index - 1], side))
    if (overlap) throw invalid(`invalid id map ${JSON.stringify(text)}: ranges overlap`)
  }
}

const end = (range: IdRange | undefined, side: 'inside' | 'outside'): number =>
  range === undefined ? 0 : range[side] + range.length
