import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newExecId } from './ids.ts'

test('newExecId() makes ids of 64 digits that are all different, however many there are', () => {
  const ids = Array.from({ length: 1000 }, newExecId)
  assert.equal(new Set(ids).size, 1000)
  assert.deepEqual(
    ids.filter((id) => !/^[0-9a-f]{64}$/.test(id) || /^\d{12}/.test(id)),
    [],
  )
})
