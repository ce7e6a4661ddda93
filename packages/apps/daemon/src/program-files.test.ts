import assert from 'node:assert/strict'
import { test } from 'node:test'
import { programFiles } from './program-files.ts'

test('programFiles() finds the bundles beside a bundle and the sources beside the source', () => {
  assert.equal(programFiles('/opt/berth/dist/daemon.cjs').supervisor, '/opt/berth/dist/supervisor.cjs')
  const { layerWorker } = programFiles('/src/packages/apps/daemon/src/main.ts')
  assert.equal(layerWorker, '/src/packages/services/storage/src/layers/worker.ts')
})
