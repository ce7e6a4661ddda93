import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { KeptSizes } from './kept-sizes.ts'

let walks = 0
const walk = async (): Promise<number> => ++walks
beforeEach(() => {
  walks = 0
})

test('of() walks a tree at rest once, until it is forgotten', async () => {
  const sizes = new KeptSizes()
  const ask = () => sizes.of('a', walk, { isAtRest: true })
  assert.deepEqual([await ask(), await ask()], [1, 1])
  sizes.forget('a')
  assert.equal(await ask(), 2)
})

test('of() walks what is written to each time, and never gives what was kept of it', async () => {
  const sizes = new KeptSizes()
  const ask = (isAtRest: boolean) => sizes.of('a', walk, { isAtRest })
  assert.deepEqual([await ask(true), await ask(false), await ask(false)], [1, 2, 3])
})

test('of() shares a walk among those who ask at one time', async () => {
  const sizes = new KeptSizes()
  const ask = () => sizes.of('a', walk, { isAtRest: false })
  assert.deepEqual(await Promise.all([ask(), ask(), ask()]), [1, 1, 1])
  assert.equal(await ask(), 2)
})

test('of() keeps nothing of a walk during which the tree was forgotten, and starts another', async () => {
  const sizes = new KeptSizes()
  const first = Promise.withResolvers<number>()
  const asked = sizes.of('a', () => first.promise, { isAtRest: true })
  sizes.forget('a')
  assert.equal(await sizes.of('a', async () => 20, { isAtRest: true }), 20)
  first.resolve(10)
  assert.equal(await asked, 10)
  assert.equal(await sizes.of('a', walk, { isAtRest: true }), 20)
})

test('of() walks again when the stamp is another, or the size is old', async () => {
  let nowMs = 0
  const sizes = new KeptSizes({ maxAgeMs: 100, nowMs: () => nowMs })
  const ask = (stamp: string) => sizes.of('a', walk, { isAtRest: true, stamp })
  assert.deepEqual([await ask('x'), await ask('x'), await ask('y')], [1, 1, 2])
  nowMs = 99
  assert.equal(await ask('y'), 2)
  nowMs = 100
  assert.equal(await ask('y'), 3)
})

test('of() keeps nothing of a walk that failed', async () => {
  const sizes = new KeptSizes()
  await assert.rejects(
    sizes.of('a', () => Promise.reject(new Error('gone')), { isAtRest: true }),
    /gone/,
  )
  assert.equal(await sizes.of('a', walk, { isAtRest: true }), 1)
})
