import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SharedWork } from './shared-work.ts'

test('SharedWork.join() does the work of a key once for all, and tells late comers how far it is', async () => {
  const shared = new SharedWork<number, string>()
  const { promise, resolve } = Promise.withResolvers<number>()
  let begun = 0
  const begin = (_: AbortSignal, report: (progress: string) => void) => {
    begun++
    report('half')
    return promise
  }
  const heard: string[] = []
  const first = shared.join('a', begin, { onProgress: (progress) => heard.push(`first ${progress}`) })
  await Promise.resolve()
  await Promise.resolve()
  const second = shared.join('a', begin, { onProgress: (progress) => heard.push(`second ${progress}`) })
  assert.equal(shared.has('a'), true)
  resolve(7)
  assert.deepEqual([await first, await second, begun, shared.has('a')], [7, 7, 1, false])
  assert.deepEqual(heard, ['first half', 'second half'])
})

test('SharedWork.join() goes on while somebody waits, and stops with the last', async () => {
  const shared = new SharedWork<void>()
  const stopped = Promise.withResolvers<unknown>()
  const begin = (signal: AbortSignal) =>
    new Promise<void>((_, reject) => {
      signal.addEventListener('abort', () => {
        stopped.resolve(signal.reason)
        reject(signal.reason as Error)
      })
    })
  const [one, two] = [new AbortController(), new AbortController()]
  const first = shared.join('a', begin, { signal: one.signal })
  const second = shared.join('a', begin, { signal: two.signal })
  one.abort(new Error('first'))
  await assert.rejects(first, /first/)
  assert.equal(shared.has('a'), true)
  two.abort(new Error('second'))
  await assert.rejects(second, /second/)
  assert.match(String(await stopped.promise), /second/)
  assert.equal(shared.has('a'), false)
})

test('SharedWork.join() lets a failure be tried anew', async () => {
  const shared = new SharedWork<string>()
  await assert.rejects(
    shared.join('a', () => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(await shared.join('a', () => Promise.resolve('yes')), 'yes')
})
