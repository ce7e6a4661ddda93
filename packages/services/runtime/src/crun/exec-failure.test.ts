import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainExecFailure } from './exec-failure.ts'

const record =
  '{"msg":"exec container process `/bad`: Exec format error","level":"error","time":"2026-11-26T21:01:19.612029Z"}'

const explained = (text: string, program?: string) => explainExecFailure(Buffer.from(text), () => program)?.toString()

test('explainExecFailure() says in runc’s words what crun writes for a program that does not run', () => {
  assert.equal(explained(`${record}\n`), 'exec /bad: exec format error\n')
  assert.equal(explained(`\x1b[1;31m${record}\x1b[0m\r\n`), 'exec /bad: exec format error\r\n')
  assert.equal(explained('exec: Exec format error\n', '/bad'), 'exec /bad: exec format error\n')
})

test('explainExecFailure() leaves all other output alone', () => {
  for (const text of ['', 'x', record, `${record}\n${record}\n`, `${record}\nmore`, 'exec: Permission denied\n']) {
    assert.equal(explained(text), undefined)
  }
})
