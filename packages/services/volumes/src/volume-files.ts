import { codeOf, conflict } from '@berth/base'
import { readMountInfo, spreadSubdirectories, unmount } from '@berth/linux'
import { freshName, type Trash } from '@berth/storage'
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { VolumeDirectories } from './directories.ts'

/** Makes the directory of all volumes. Nobody but root passes: a volume's own directory may be open to all. */
export function makeRoot({ root }: VolumeDirectories): void {
  mkdirSync(root, { recursive: true, mode: 0o701 })
  spreadSubdirectories(root)
  chmodSync(root, 0o701)
}

/** Makes a volume's directories. True when there were none. */
export function makeDirectories(directories: VolumeDirectories, name: string): boolean {
  const data = directories.data(name)
  if (existsSync(data)) return false
  mkdirSync(directories.of(name), { recursive: true, mode: 0o701 })
  chmodSync(directories.of(name), 0o701)
  mkdirSync(data, { mode: 0o755 })
  chmodSync(data, 0o755)
  return true
}

/** Moves a volume's directories to the trash. Nothing may be mounted there. */
export function discardDirectories(directories: VolumeDirectories, trash: Pick<Trash, 'take'>, name: string): void {
  const directory = directories.of(name)
  if (existsSync(directory)) trash.take(directory, freshName(name.slice(0, 100)))
}

/** Unmounts whatever is mounted below a volume's directory. `conflict` where that is in use. */
export function releaseMounts(directories: VolumeDirectories, name: string): void {
  const below = `${directories.of(name)}/`
  const targets = readMountInfo().map(({ target }) => target)
  for (const target of targets.toReversed()) {
    if (!target.startsWith(below)) continue
    try {
      unmount(target)
    } catch (error) {
      if (codeOf(error) === 'EBUSY') throw conflict(`remove ${name}: ${target} is mounted and busy`, error)
      throw error
    }
  }
}

/** Paths of directories that belong to no volume that `isKnown`. */
export function strayDirectories({ root }: VolumeDirectories, isKnown: (name: string) => boolean): string[] {
  const strays = readdirSync(root).filter((name) => !name.startsWith('.') && !isKnown(name))
  return strays.map((name) => join(root, name))
}
