import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readUserFiles } from './user-files.ts'

function withRoot(work: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), 'berth-users-'))
  mkdirSync(join(root, 'etc'))
  try {
    work(root)
  } finally {
    rmSync(root, { recursive: true })
  }
}

test('readUserFiles() reads what is there; what is not is empty', () => {
  withRoot((root) => {
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:\n')
    assert.deepEqual(readUserFiles(root), { passwd: 'root:x:0:0::/root:\n', group: '' })
  })
  assert.deepEqual(readUserFiles('/proc/self/fd/1000000'), { passwd: '', group: '' })
})

test('readUserFiles() follows links only inside the root', () => {
  withRoot((root) => {
    writeFileSync(join(root, 'real'), 'inside\n')
    symlinkSync('/../../real', join(root, 'etc/passwd'))
    symlinkSync('/proc/self/environ', join(root, 'etc/group'))
    assert.deepEqual(readUserFiles(root), { passwd: 'inside\n', group: '' })
  })
})

test('readUserFiles() refuses a file of a gigabyte and what is no file', () => {
  withRoot((root) => {
    writeFileSync(join(root, 'etc/group'), '')
    truncateSync(join(root, 'etc/group'), 2 ** 30)
    assert.throws(() => readUserFiles(root), { kind: 'invalid', message: /\/etc\/group .* larger than 4194304 bytes/ })
  })
  withRoot((root) => {
    spawnSync('mkfifo', [join(root, 'etc/passwd')])
    assert.throws(() => readUserFiles(root), { kind: 'invalid', message: /not a regular file/ })
  })
})
