import { mkdirSync } from 'node:fs'
import type { LayerWorker } from '../layers/layer-worker.ts'
import type { SnapshotDriver } from './driver.ts'
import { fillInitLayer } from './init-layer.ts'

/** Snapshots as whole copies, where overlayfs cannot be used: slow, large, and right everywhere. */
export function createCopyDriver(worker: LayerWorker): SnapshotDriver {
  const mounted = new Set<string>()
  return {
    name: 'vfs',
    whiteouts: 'remove',
    form: 'copy',
    copiesParent: true,
    prepare: ({ files }) => void mkdirSync(files, { recursive: true, mode: 0o755 }),
    async fill({ files, lower }) {
      const [parent] = lower
      if (parent !== undefined) await worker.run('copyTree', { from: parent, to: files })
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
