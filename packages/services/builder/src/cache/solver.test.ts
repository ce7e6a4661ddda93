import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Solver, type Step, type StepCache } from './solver.ts'

class MemoryCache implements StepCache<number> {
  readonly results = new Map<string, number>()
  async get(key: string) {
    const result = this.results.get(key)
    return result === undefined ? undefined : { result }
  }
  async put(key: string, result: number) {
    this.results.set(key, result)
  }
}

const solving = (events: string[] = [], signal = new AbortController().signal, noCache = false) => ({
  onEvent: (event: string) => void events.push(event),
  signal,
  noCache,
})

function sum(a: number, b: number, calls: string[]): Step<number, string> {
  const key = `${a}+${b}`
  return { key, exec: async () => (calls.push(key), a + b) }
}

test('solve() does a step once, then answers from the cache', async () => {
  const calls: string[] = []
  const solver = new Solver<number, string>(new MemoryCache())
  assert.deepEqual(await solver.solve(sum(1, 2, calls), solving()), { result: 3, isCached: false })
  assert.deepEqual(await solver.solve(sum(1, 2, calls), solving()), { result: 3, isCached: true })
  assert.deepEqual(calls, ['1+2'])
})

test('solve() without the cache does it anew and remembers', async () => {
  const cache = new MemoryCache()
  cache.results.set('1+2', 99)
  const solver = new Solver<number, string>(cache)
  const { result } = await solver.solve(sum(1, 2, []), solving([], undefined, true))
  assert.deepEqual([result, cache.results.get('1+2')], [3, 3])
})

test('solve() lets others join, who hear all that was said', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const solver = new Solver<number, string>(new MemoryCache())
  const step: Step<number, string> = {
    key: 'k',
    exec: async (emit) => {
      emit('one')
      await gate
      emit('two')
      return 1
    },
  }
  const [first, second]: [string[], string[]] = [[], []]
  const a = solver.solve(step, solving(first))
  await Promise.resolve()
  await Promise.resolve()
  const b = solver.solve(step, solving(second))
  open()
  assert.deepEqual(
    [await a, await b],
    [
      { result: 1, isCached: false },
      { result: 1, isCached: false },
    ],
  )
  assert.deepEqual(
    [first, second],
    [
      ['one', 'two'],
      ['one', 'two'],
    ],
  )
})

test('solve() stops the work when the last one has gone, and only then', async () => {
  const solver = new Solver<number, string>(new MemoryCache())
  let stopped = false
  const step: Step<number, string> = {
    key: 'k',
    exec: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          stopped = true
          reject(signal.reason as Error)
        })
      }),
  }
  const [one, two] = [new AbortController(), new AbortController()]
  const a = solver.solve(step, solving([], one.signal))
  const b = solver.solve(step, solving([], two.signal))
  a.catch(() => {})
  b.catch(() => {})
  await new Promise((resolve) => setImmediate(resolve))
  one.abort(new Error('gone'))
  await assert.rejects(a, { message: 'gone' })
  assert.equal(stopped, false)
  two.abort(new Error('gone too'))
  await assert.rejects(b, { message: 'gone too' })
  assert.equal(stopped, true)
})

test('solve() does not remember what failed', async () => {
  const cache = new MemoryCache()
  const solver = new Solver<number, string>(cache)
  const failing: Step<number, string> = { key: 'k', exec: () => Promise.reject(new Error('no')) }
  await assert.rejects(solver.solve(failing, solving()), { message: 'no' })
  assert.equal(cache.results.size, 0)
})
