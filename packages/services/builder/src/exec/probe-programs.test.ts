import assert from 'node:assert/strict'
import { formatPlatform, hostPlatform, normalizePlatform } from '@berth/oci'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
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
