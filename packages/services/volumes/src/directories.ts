import { join } from 'node:path'

/** Where volumes live. Names of volumes begin with a letter or digit: what else is here begins with a dot. */
export interface VolumeDirectories {
  readonly root: string
  /** What is to be deleted, by the background worker or at the next start. */
  readonly trash: string
  /** All of a volume. */
  of(name: string): string
  /** Its files: what containers see, and where its device is mounted. */
  data(name: string): string
  /** What a volume is to hold at first, until it is complete; on the file system of its files. */
  staging(name: string, isDevice: boolean): string
}

export function planDirectories(dataRoot: string): VolumeDirectories {
  const root = join(dataRoot, 'volumes')
  return {
    root,
    trash: join(root, '.trash'),
    of: (name) => join(root, name),
    data: (name) => join(root, name, '_data'),
    staging: (name, isDevice) => (isDevice ? join(root, name, '_data', '.berth-fill') : join(root, name, '_fill')),
  }
}
