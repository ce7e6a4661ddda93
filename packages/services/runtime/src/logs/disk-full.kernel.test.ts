import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { mount, unmount } from '@berth/linux'
import { openLogWriter } from './log-writer.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-disk-full-'))
mount({ source: 'tmpfs', target: directory, type: 'tmpfs', data: 'size=256k' })
after(() => {
  unmount(directory, { detach: true })
  rmSync(directory, { recursive: true })
})

for (const driver of ['json-file', 'local'] as const) {
  test(`openLogWriter() of ${driver} drops whole lines while the disk is full, and goes on after`, async () => {
    const path = join(directory, driver, 'x.log')
    mkdirSync(join(directory, driver))
    const ballast = join(directory, 'ballast')
    const warnings: string[] = []
    const target = { driver, path, maxSizeBytes: 50_000, maxFiles: 3, compress: true } as const
    const writer = await openLogWriter(target, (_, message) => warnings.push(message))
    writer?.write(1, Buffer.from('before\n'))
    await writer?.flush()
    assert.throws(() => writeFileSync(ballast, Buffer.alloc(1 << 20)), { code: 'ENOSPC' })
    for (let n = 0; n < 2000; n++) writer?.write(1, Buffer.from(`lost ${n} ${'x'.repeat(50)}\n`))
    await writer?.flush()
    rmSync(ballast)
    writer?.write(1, Buffer.from('after\n'))
    await writer?.close()
    const { readLogs } = await import('./read-logs.ts')
    const query = { stdout: true, stderr: true, timestamps: false, details: false, raw: true }
    let text = ''
    for await (const chunk of readLogs(target, query)) text += chunk.toString()
    assert.match(text, /^before\n(lost \d+ x{50}\n)*after\n$/)
    assert.equal(warnings.filter((message) => message.includes('are dropped')).length, 1)
    assert.equal(warnings.filter((message) => message.includes('were dropped')).length, 1)
    assert.ok(readFileSync(path).length > 0)
    rmSync(join(directory, driver), { recursive: true })
  })
}
