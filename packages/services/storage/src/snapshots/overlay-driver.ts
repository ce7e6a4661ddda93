import { codeOf } from '@berth/base'
import { isMountPoint, mountOverlay, O_CLOEXEC, O_PATH, unmount } from '@berth/linux'
import { chmodSync, chownSync, close, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { SnapshotDriver } from './driver.ts'

/**
 * Whatever the kernel's defaults are: no redirects and no metadata-only copies, so that an upper directory alone says
 * what changed, and no index, so that layers may be copied and shared (Documentation/filesystems/overlayfs.rst).
 */
const options = { index: 'off', redirect_dir: 'off', metacopy: 'off' }

/** Snapshots as overlayfs layers. */
export const overlayDriver: SnapshotDriver = {
  name: 'overlay2',
  whiteouts: 'overlay',
  form: 'overlay',
  copiesParent: false,
  prepare({ files, work, merged, lower }) {
    for (const directory of [files, work, merged]) mkdirSync(directory, { recursive: true, mode: 0o755 })
    copyRootOwner(lower[0], files)
  },
  mount({ files: upper, work, merged: target, lower }, { volatile }) {
    if (isMounted(target)) return target
    forgetVolatile(work)
    mountOverlay({ lower, upper, work, target, volatile, options })
    return target
  },
  // Lazily: a process of the container that is about to end, or an export, must not keep it.
  unmount: ({ merged }) => unmountIfMounted(merged),
  isMounted: ({ merged }) => isMounted(merged),
  view({ files, lower, merged }, target) {
    if (isMounted(merged)) return merged
    mountOverlay({ lower: [files, ...lower], target, options })
    return target
  },
  unview: unmountIfMounted,
  describe: ({ files, work, merged, lower }) => ({
    ...(lower.length > 0 && { LowerDir: lower.join(':') }),
    MergedDir: merged,
    UpperDir: files,
    WorkDir: work,
  }),
}

/** The root of the merged tree is the upper's: it takes after the image's. */
export function copyRootOwner(from: string | undefined, to: string): void {
  if (from === undefined) return
  const { uid, gid, mode } = statSync(from)
  chownSync(to, uid, gid)
  chmodSync(to, mode & 0o7777)
}

/** A volatile mount leaves a mark that refuses the next mount; its writes were to be thrown away, or were synced since. */
function forgetVolatile(work: string): void {
  rmSync(join(work, 'work', 'incompat'), { recursive: true, force: true })
}

function isMounted(path: string): boolean {
  try {
    return isMountPoint(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/**
 * The mount is gone from its place when this returns, so that nobody takes it for one to use; what is dirty is written by
 * a pool thread, which lets go of the file system last.
 */
async function unmountIfMounted(path: string): Promise<void> {
  if (!isMounted(path)) return
  const last = openSync(path, O_PATH | O_CLOEXEC)
  try {
    unmount(path, { detach: true })
  } finally {
    await promisify(close)(last)
  }
}
