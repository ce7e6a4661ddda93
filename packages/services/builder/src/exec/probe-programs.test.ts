import assert from 'node:assert/strict'
import { formatPlatform, hostPlatform, normalizePlatform } from '@berth/oci'
import { mkdtempSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { probePrograms } from './probe-programs.ts'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { RunnablePlatforms } from './runnable-platforms.ts'

test('probePrograms() has one for this host, which runs and succeeds', () => {
  const own = formatPlatform(normalizePlatform(hostPlatform()))
  const program = probePrograms().find(({ platform }) => formatPlatform(platform) === own)
  const folder = mkdtempSync(join(tmpdir(), 'berth-probe-'))
  try {
    writeFileSync(join(folder, 'probe'), program?.bytes ?? '', { mode: 0o700 })
    assert.equal(execFileSync(join(folder, 'probe')).length, 0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('RunnablePlatforms begins with this host’s, has each once, and leaves no file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-probe-'))
  try {
    const platforms = (await new RunnablePlatforms(folder).get()).map(formatPlatform)
    assert.equal(platforms[0], formatPlatform(normalizePlatform(hostPlatform())))
    assert.equal(new Set(platforms).size, platforms.length)
    assert.deepEqual(execFileSync('find', [folder, '-type', 'f'], { encoding: 'utf8' }), '')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('RunnablePlatforms starts programs anew only when whoever asked has had the time to go on', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-probe-'))
  try {
    const platforms = new RunnablePlatforms(folder, { rememberMs: 0 })
    const first = await platforms.get()
    context.mock.timers.enable({ apis: ['setTimeout'] })
    using watcher = watching(folder)
    assert.deepEqual(await platforms.get(), first)
    for (let turn = 0; turn < 50; turn++) await setImmediate()
    assert.equal(watcher.count, 0)
    context.mock.timers.tick(2000)
    await watcher.first
    assert.deepEqual(await platforms.get(), first)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** Counts what appears in a directory, and vanishes from it. */
function watching(directory: string): Disposable & { readonly count: number; readonly first: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  let count = 0
  const watcher = watch(directory, () => {
    count++
    resolve()
  })
  return {
    first: promise,
    get count() {
      return count
    },
    [Symbol.dispose]: () => watcher.close(),
  }
}
