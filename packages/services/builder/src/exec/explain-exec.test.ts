import assert from 'node:assert/strict'
import { hostPlatform } from '@berth/oci'
import { test } from 'node:test'
import { explainExec } from './explain-exec.ts'

const line = (reason: string, path = '/p') =>
  Buffer.from(`{"msg":"exec container process \`${path}\`: ${reason}","level":"error","time":"2026-11-26T19:33:35Z"}\n`)
const foreign = { os: 'linux', architecture: hostPlatform().architecture === 's390x' ? 'arm64' : 's390x' }

test('explainExec() puts crun’s record of a foreign program into runc’s words, and says what helps', () => {
  const told = explainExec(line('Exec format error'), foreign) ?? ''
  assert.match(told, /^exec \/p: exec format error\nhint: programs of linux\/(?:s390x|arm64) do not run on this host/)
  assert.match(told, /binfmt_misc.*BUILDPLATFORM\n$/)
})

test('explainExec() has no hint for programs of this host, nor for other failures', () => {
  assert.equal(explainExec(line('Exec format error'), hostPlatform()), 'exec /p: exec format error\n')
  assert.equal(explainExec(line('Permission denied'), foreign), 'exec /p: permission denied\n')
})

test('explainExec() leaves alone what a program writes', () => {
  for (const text of ['hello\n', '{"msg":"x"}\n', `before ${line('Exec format error').toString()}`, '{'.repeat(5000)]) {
    assert.equal(explainExec(Buffer.from(text), foreign), undefined)
  }
})
