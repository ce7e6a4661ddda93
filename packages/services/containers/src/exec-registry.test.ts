import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ContainerId, type ExecId, newExecId } from '@berth/base'
import type { Exec } from './container.ts'
import { ExecRegistry } from './exec-registry.ts'

const container = 'a'.repeat(64) as ContainerId
const other = 'b'.repeat(64) as ContainerId

function insert(registry: ExecRegistry, containerId = container): ExecId {
  const id = newExecId()
  registry.insert({ id, containerId, running: false, exitCode: null, pid: 0, config: {} as Exec['config'] })
  return id
}

test('ExecRegistry knows the live execs of each container', () => {
  const registry = new ExecRegistry()
  const [first, second] = [insert(registry), insert(registry)]
  const others = insert(registry, other)
  registry.started(first, 7)
  assert.deepEqual(registry.liveOf(container), [first, second])
  registry.ended(first, 3)
  assert.deepEqual(registry.liveOf(container), [second])
  assert.deepEqual(registry.liveOf(other), [others])
  assert.equal(registry.byId(first)?.exitCode, 3)
})

test('ExecRegistry forgets an ended exec after five minutes, a live one never', (context) => {
  context.mock.timers.enable({ apis: ['Date'] })
  const registry = new ExecRegistry()
  const [early, late, live] = [insert(registry), insert(registry), insert(registry)]
  registry.ended(early, 0)
  context.mock.timers.setTime(4 * 60_000)
  registry.ended(late, 0)
  context.mock.timers.setTime(5 * 60_000 + 1)
  insert(registry)
  assert.throws(() => registry.resolve(early), { kind: 'notFound' })
  assert.equal(registry.resolve(late).exitCode, 0)
  context.mock.timers.setTime(60 * 60_000)
  insert(registry)
  assert.throws(() => registry.resolve(late), { kind: 'notFound' })
  assert.equal(registry.resolve(live).exitCode, null)
})

test('ExecRegistry forgets what nobody started when its container ends, and all of it with the container', async () => {
  const registry = new ExecRegistry()
  const [unstarted, claimed, ended] = [insert(registry), insert(registry), insert(registry)]
  const others = insert(registry, other)
  registry.claim(claimed)
  registry.ended(ended, 0)
  registry.forgetUnstarted(container)
  assert.throws(() => registry.resolve(unstarted), { kind: 'notFound' })
  assert.deepEqual(registry.liveOf(container), [claimed])
  registry.forget(container)
  for (const id of [claimed, ended]) assert.throws(() => registry.resolve(id), { kind: 'notFound' })
  assert.deepEqual(registry.liveOf(container), [])
  assert.deepEqual(registry.liveOf(other), [others])
})

test('ExecRegistry wakes who waits for an end', async () => {
  const registry = new ExecRegistry()
  const id = insert(registry)
  const order: string[] = []
  const waiting = registry.whenEnded(id).then(() => order.push('woken'))
  registry.ended(id, 1)
  order.push('ended')
  await waiting
  await registry.whenEnded(id)
  assert.deepEqual(order, ['ended', 'woken'])
  const forgotten = registry.whenEnded(insert(registry))
  registry.forget(container)
  await forgotten
})
