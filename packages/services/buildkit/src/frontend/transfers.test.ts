import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Transfers } from './transfers.ts'

test('Transfers stops what still comes when the build is over, and removes what has come only after that', async () => {
  const told: string[] = []
  const transfers = new Transfers(new AbortController().signal)
  transfers.received.defer(() => void told.push('removed'))
  const coming = once(transfers.signal, 'abort').then(() => {
    told.push('stopped')
    throw transfers.signal.reason
  })
  transfers.expect(coming)
  await transfers[Symbol.asyncDispose]()
  assert.deepEqual(told, ['stopped', 'removed'])
})
