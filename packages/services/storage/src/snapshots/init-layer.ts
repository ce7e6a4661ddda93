import { codeOf } from '@berth/base'
import { closeSync, constants, fchmodSync } from 'node:fs'
import { openInRoot, symlinkat, utimensat } from '@berth/linux'
import { LayerTree } from '../layers/layer-tree.ts'
import { statusOf } from '../layers/directory.ts'

const directories = ['dev/pts', 'dev/shm', 'proc', 'sys']
const files = ['dev/console', 'etc/hostname', 'etc/hosts', 'etc/resolv.conf', '.dockerenv']

/** The same everywhere, so that a copy of one is no change. */
const epoch = { atimeNs: 0n, mtimeNs: 0n }

/**
 * Makes in `path` what Docker's init layer has: the mount points of what an engine mounts into a container. They stand
 * beneath the image, so that they show as no change of the container's; what is there already is left alone.
 */
export function fillInitLayer(path: string): void {
  using tree = new LayerTree(path, 'none')
  for (const directory of directories) tree.directory(directory)
  for (const file of files) ignoringExisting(() => makeFile(tree, file))
  ignoringExisting(() => {
    const { fd, name } = tree.place('etc/mtab')
    symlinkat('/proc/mounts', fd, name)
    utimensat(fd, name, epoch)
  })
}

function makeFile(tree: LayerTree, path: string): void {
  const { fd, name } = tree.place(path)
  if (statusOf(fd, name)) return
  const { O_CREAT, O_EXCL, O_WRONLY } = constants
  const file = openInRoot(fd, name, { flags: O_CREAT | O_EXCL | O_WRONLY, mode: 0o755 })
  try {
    fchmodSync(file, 0o755)
    utimensat(fd, name, epoch)
  } finally {
    closeSync(file)
  }
}

function ignoringExisting(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}
