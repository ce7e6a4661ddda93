import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Holds } from './holds.ts'

test('Holds unmounts what was mounted for a hold alone, after the last one', () => {
  const holds = new Holds()
  holds.add('a', true)
  holds.add('a', false)
  assert.equal(holds.release('a'), false)
  assert.equal(holds.release('a'), true)
})

test('Holds leaves an owner’s mount, and keeps it when the owner lets go first', () => {
  const holds = new Holds()
  holds.add('a', false)
  assert.equal(holds.release('a'), false)
  holds.add('a', false)
  assert.equal(holds.yield('a'), false)
  assert.equal(holds.release('a'), true)
  assert.equal(holds.yield('a'), true)
})

test('Holds gives a mount to the owner who starts meanwhile', () => {
  const holds = new Holds()
  holds.add('a', true)
  holds.claim('a')
  assert.equal(holds.release('a'), false)
})

test('Holds forgets what is removed', () => {
  const holds = new Holds()
  holds.add('a', true)
  holds.forget('a')
  assert.equal(holds.release('a'), false)
})
