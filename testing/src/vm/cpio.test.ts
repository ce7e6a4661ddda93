import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { cpioArchive, directoryMode, programMode } from './cpio.ts'

test('cpioArchive() is what another implementation unpacks to the same files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-cpio-'))
  const content = Buffer.from('twelve bytes')
  const input = cpioArchive([
    { path: 'a', mode: directoryMode },
    { path: 'a/program', mode: programMode, content },
    { path: 'empty', mode: 0o100600 },
  ])
  execFileSync('busybox', ['cpio', '-i'], { cwd: folder, input, stdio: ['pipe', 'ignore', 'ignore'] })
  assert.deepEqual(readFileSync(join(folder, 'a/program')), content)
  assert.deepEqual(
    ['a', 'a/program', 'empty'].map((path) => statSync(join(folder, path)).mode),
    [directoryMode, programMode, 0o100600],
  )
  rmSync(folder, { recursive: true })
})
