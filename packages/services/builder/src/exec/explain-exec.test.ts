import assert from 'node:assert/strict'
import { hostPlatform } from '@berth/oci'
import { test } from 'node:test'
import { explainExec } from './explain-exec.ts'

const foreign = { os: 'linux', architecture: hostPlatform().architecture === 's390x' ? 'arm64' : 's390x' }
const explained = (text: string, platform = foreign) => explainExec(Buffer.from(text), platform)

test('explainExec() says what helps where a program is of another machine', () => {
  const told = explained('exec /p: exec format error\n') ?? ''
  assert.match(told, /^exec \/p: exec format error\nhint: programs of linux\/(?:s390x|arm64) do not run on this host/)
  assert.match(told, /binfmt_misc.*BUILDPLATFORM\n$/)
})

test('explainExec() has nothing to say of programs of this host, of other failures, and of what a program writes', () => {
  assert.equal(explained('exec /p: exec format error\n', hostPlatform()), undefined)
  for (const text of ['exec /p: permission denied\n', 'hello\n', 'x exec /p: exec format error\n', '{'.repeat(5000)]) {
    assert.equal(explained(text), undefined)
  }
})
