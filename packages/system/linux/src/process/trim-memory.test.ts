import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

// In a process of its own: what the test runner allocates meanwhile would count.
const script = `
  const { trimMemory } = await import(${JSON.stringify(new URL('./trim-memory.ts', import.meta.url).href)})
  const { readFileSync } = await import('node:fs')
  const anonKb = () => Number(/RssAnon:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))[1])
  await trimMemory()
  let kept = []
  for (let i = 0; i < 20000; i++) kept.push(Buffer.allocUnsafeSlow(3000).fill(1))
  const pin = kept.at(-1)
  const full = anonKb()
  kept = []
  let gained = false
  // V8 frees what it has collected a little later, on a thread of its own.
  for (let i = 0; i < 50 && !gained; i++) {
    gc()
    await new Promise((resolve) => setImmediate(resolve))
    await trimMemory()
    gained = full - anonKb() > 40_000
  }
  console.log(JSON.stringify({ gained, pinned: pin[0] }))
`

test('trimMemory() gives back what was freed below what is still used', () => {
  const args = ['--expose-gc', '--no-warnings', '--input-type=module', '-e', script]
  const env = { ...process.env, MALLOC_ARENA_MAX: '1' }
  assert.deepEqual(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env })), {
    gained: true,
    pinned: 1,
  })
})
