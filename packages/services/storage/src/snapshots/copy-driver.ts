import { mkdirSync } from 'node:fs'
import { copyTree } from '../layers/copy-tree.ts'
import type { SnapshotDriver } from './driver.ts'
import { fillInitLayer } from './init-layer.ts'

/** Snapshots as whole copies, where overlayfs cannot be used: slow, large, and right everywhere. */
export function createCopyDriver(): SnapshotDriver {
  const mounted = new Set<string>()
  return {
    name: 'vfs',
    whiteouts: 'remove',
    form: 'copy',
    copiesParent: true,
    prepare({ files, lower }) {
      mkdirSync(files, { recursive: true, mode: 0o755 })
      const [parent] = lower
      if (parent !== undefined) copyTree(parent, files)
      fillInitLayer(files)
    },
    mount({ files }) {
      mounted.add(files)
      return files
    },
    unmount({ files }) {
      mounted.delete(files)
      return Promise.resolve()
    },
    isMounted: ({ files }) => mounted.has(files),
    view: ({ files }) => files,
    unview: () => Promise.resolve(),
    describe: ({ files }) => ({ UpperDir: files, MergedDir: files }),
  }
}
