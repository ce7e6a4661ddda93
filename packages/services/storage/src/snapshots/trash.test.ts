import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLogger } from '@berth/base'
import type { LayerWorkerOptions } from '../layers/layer-worker.ts'
import { Trash } from './trash.ts'

// A thread that is started with it fails at once, and the tree stays.
const noThread = { file: '/nonexistent/worker.js' }

describe('Trash', () => {
  let root: string
  let trash: Trash
  let trees = 0

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'berth-trash-'))
  })

  afterEach(async () => {
    await trash[Symbol.asyncDispose]()
    rmSync(root, { recursive: true, force: true })
  })

  const open = (worker?: LayerWorkerOptions) => (trash = new Trash(join(root, 'trash'), worker, silentLogger))
  const left = () => readdirSync(join(root, 'trash'))

  function take(files: readonly string[] = []): void {
    const name = `tree-${trees++}`
    mkdirSync(join(root, name, 'fs/deeper'), { recursive: true })
    for (const file of files) writeFileSync(join(root, name, 'fs/deeper', file), file)
    trash.take(join(root, name), name)
  }

  it('empty() removes a small tree without a thread', async () => {
    open(noThread)
    take(['one', 'two'])
    await trash.empty()
    assert.deepEqual(left(), [])
  })

  it('empty() removes a symlink, not what it leads to', async () => {
    open(noThread)
    mkdirSync(join(root, 'outside'))
    writeFileSync(join(root, 'outside/kept'), 'kept')
    mkdirSync(join(root, 'linked'))
    symlinkSync(join(root, 'outside'), join(root, 'linked/link'))
    trash.take(join(root, 'linked'), 'linked')
    await trash.empty()
    assert.deepEqual(left(), [])
    assert.equal(readFileSync(join(root, 'outside/kept'), 'utf8'), 'kept')
  })

  it('empty() removes a large tree, one with names that are no UTF-8, a file, and many trees, by its thread', async () => {
    open()
    take(Array.from({ length: 100 }, (_, i) => `file-${i}`))
    mkdirSync(join(root, 'foreign'))
    writeFileSync(Buffer.concat([Buffer.from(`${root}/foreign/`), Buffer.from([0xff, 0xfe])]), '')
    trash.take(join(root, 'foreign'), 'foreign')
    writeFileSync(join(root, 'plain'), '')
    trash.take(join(root, 'plain'), 'plain')
    await trash.empty()
    assert.deepEqual(left(), [])
    for (let i = 0; i < 20; i++) take(['one'])
    await trash.empty()
    assert.deepEqual(left(), [])
  })

  it('take() has trees deleted when no more come, and after 5 seconds at the latest', async ({ mock }) => {
    mock.timers.enable({ apis: ['setTimeout'] })
    open()
    for (let count = 1; count <= 10; count++) {
      take()
      mock.timers.tick(490)
      await turnsFor(20)
      assert.equal(left().length, count, 'nothing is deleted while trees come')
    }
    take()
    mock.timers.tick(100)
    await gone()
    take()
    mock.timers.tick(500)
    await gone()
  })

  async function gone(): Promise<void> {
    const deadline = performance.now() + 10_000
    while (left().length > 0 && performance.now() < deadline) await turnsFor(1)
    assert.deepEqual(left(), [])
  }

  /** Lets the event loop go round: the clock of the timers stands still. */
  async function turnsFor(ms: number): Promise<void> {
    const end = performance.now() + ms
    while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve))
  }
})
