import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { LayerWorker } from './layer-worker.ts'

const folder = mkdtempSync(join(tmpdir(), 'layer-worker-'))
after(() => rmSync(folder, { recursive: true }))

/** A worker whose every answer is its thread's number. */
const file = join(folder, 'worker.cjs')
writeFileSync(
  file,
  `const { parentPort, threadId } = require('node:worker_threads')
  parentPort.on('message', ({ id }) => parentPort.postMessage({ kind: 'result', id, result: threadId }))`,
)

/** The numbers of the threads that do three tasks with pauses between, each longer than `idleMs`. */
async function threadsOf(soonMs: number): Promise<unknown[]> {
  await using worker = new LayerWorker({ file, threads: 1, idleMs: 10, soonMs })
  const numbers: unknown[] = []
  for (let i = 0; i < 3; i++) {
    numbers.push(await worker.run('remove', { path: '/nowhere' } as never))
    await sleep(200)
  }
  return numbers
}

test('LayerWorker ends an idle thread soon, and keeps one that was needed again soon', async () => {
  const [first, second, third] = await threadsOf(60_000)
  assert.notEqual(first, second)
  assert.equal(second, third)
})

test('LayerWorker ends every idle thread where work comes rarely', async () => {
  assert.equal(new Set(await threadsOf(0)).size, 3)
})
