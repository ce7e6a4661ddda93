import { type BigIntStats, readdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Rotated files are `<path>.1` (the youngest) upward, with `.gz` once compressed. */
export const rotatedPath = (path: string, index: number, compressed = false): string =>
  `${path}.${index}${compressed ? '.gz' : ''}`

export interface RotatedFile {
  readonly index: number
  readonly compressed: boolean
  readonly path: string
}

/** The rotated files of a log, oldest first; of two with one number the plain one first. */
export const listRotated = (path: string): RotatedFile[] => rotatedAmong(path, readdirSync(dirname(path)))

/** The same, without waiting for a disk. */
export const findRotated = async (path: string): Promise<RotatedFile[]> =>
  rotatedAmong(path, await readdir(dirname(path)))

function rotatedAmong(path: string, names: readonly string[]): RotatedFile[] {
  const prefix = `${basename(path)}.`
  const files = names.flatMap((name) => {
    const match = name.startsWith(prefix) ? /^([1-9]\d{0,5})(\.gz)?$/.exec(name.slice(prefix.length)) : null
    if (!match) return []
    return [{ index: Number(match[1]), compressed: match[2] !== undefined, path: join(dirname(path), name) }]
  })
  return files.toSorted((a, b) => b.index - a.index || Number(a.compressed) - Number(b.compressed))
}

/** What tells a log file from every other of its container, kept in the header when it is compressed. */
export const fileIdentity = (status: BigIntStats): string => `${status.ino}.${status.birthtimeNs}`
