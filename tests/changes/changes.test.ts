import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { useEngine } from '@berth/testing'
import { type ChangeFacts, changeFacts } from './change-facts.ts'

// What a real dockerd said of the same changes: record-golden.ts writes it.
const golden = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8')) as ChangeFacts

const engine = useEngine()

test('diff, export and commit tell of a container’s changes as Docker does', async () => {
  const { attributes, ...facts } = await changeFacts(engine.api)
  assert.deepEqual({ ...facts, attributes: [] }, golden)
  // docs/compatibility.md: dockerd's archives have capabilities and no other attribute.
  const own = ['t/keep/ user.dir=76616c7565', 't/kept-xattr user.two=74776f00c3bf', 't/set-xattr user.new=76616c7565']
  if (process.env['BERTH_TEST_HOST'] === undefined) assert.deepEqual(attributes, own)
})
