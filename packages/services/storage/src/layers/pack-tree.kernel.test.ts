import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { packName } from './pack-tree.ts'

/** Swaps `d` between a link and a directory until it is killed. */
const swapper = `const { renameSync } = require('node:fs')
console.log('swaps')
for (;;) for (const kind of ['link', 'directory']) { renameSync(kind, 'd'); renameSync('d', kind) }`

test('packName() leaves out what has become something else meanwhile', async () => {
  const root = mkdtempSync(join(tmpdir(), 'berth-pack-'))
  symlinkSync('nowhere', join(root, 'link'))
  mkdirSync(join(root, 'directory'))
  const parent = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)
  const swapping = execFile(process.execPath, ['-e', swapper], { cwd: root })
  const ended = once(swapping, 'exit')
  try {
    await once(swapping.stdout!, 'data')
    const packed = new Set<number>()
    const untilMs = performance.now() + 3000
    while (performance.now() < untilMs) packed.add(Buffer.concat([...packName(parent, 'd', 'd')]).length)
    assert.deepEqual([...packed].toSorted(), [1024, 1536])
  } finally {
    swapping.kill('SIGKILL')
    await ended
    closeSync(parent)
    rmSync(root, { recursive: true })
  }
})
