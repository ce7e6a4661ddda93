import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEvents, type EventsOptions } from './create-events.ts'
import type { EngineEvent, EventQuery, Events } from './events.ts'

/** A clock that advances by one second at each event. */
function setUp(options: EventsOptions = {}) {
  let seconds = 0n
  const events = createEvents({ ...options, now: () => (seconds += 1n) * 1_000_000_000n })
  const publish = (...ids: string[]) => ids.forEach((id) => events.publish('container', 'start', id))
  return { events, publish }
}

async function idsOf(events: AsyncIterable<EngineEvent>): Promise<string[]> {
  const ids: string[] = []
  for await (const { Actor } of events) ids.push(Actor.ID)
  return ids
}

const subscribe = (events: Events, query: EventQuery = {}) => {
  const controller = new AbortController()
  return { stream: events.subscribe(query, controller.signal), end: () => controller.abort() }
}

test('subscribe() hears what comes after it, and nothing of before', async () => {
  const { events, publish } = setUp()
  publish('a')
  const { stream, end } = subscribe(events)
  publish('b', 'c')
  end()
  publish('d')
  assert.deepEqual(await idsOf(stream), ['b', 'c'])
})

test('subscribe() replays from since, and follows', async () => {
  const { events, publish } = setUp()
  publish('a', 'b', 'c')
  const { stream, end } = subscribe(events, { sinceNs: 2_000_000_000n })
  publish('d')
  end()
  assert.deepEqual(await idsOf(stream), ['b', 'c', 'd'])
})

test('subscribe() ends at once when until has passed', async () => {
  const { events, publish } = setUp()
  publish('a', 'b', 'c')
  assert.deepEqual(await idsOf(subscribe(events, { untilNs: 2_000_000_000n }).stream), ['a', 'b'])
})

test('subscribe() ends when until comes', async () => {
  const events = createEvents()
  const { stream } = subscribe(events, { untilNs: BigInt(Date.now() + 5) * 1_000_000n })
  events.publish('image', 'load', 'a')
  assert.deepEqual(await idsOf(stream), ['a'])
})

test('publish() keeps no more than the ring holds', async () => {
  const { events, publish } = setUp({ ringSize: 2 })
  publish('a', 'b', 'c')
  const { stream, end } = subscribe(events, { sinceNs: 0n })
  end()
  assert.deepEqual(await idsOf(stream), ['b', 'c'])
})

test('publish() ends a subscriber that does not read', async () => {
  const { events, publish } = setUp({ queueSize: 3 })
  const slow = subscribe(events)
  const quick = subscribe(events)
  const heard = idsOf(quick.stream)
  for (const id of ['a', 'b', 'c', 'd']) {
    publish(id)
    await Promise.resolve()
  }
  quick.end()
  assert.deepEqual(await idsOf(slow.stream), [])
  assert.deepEqual(await heard, ['a', 'b', 'c', 'd'])
})

test('subscribe() passes over what the query does not accept', async () => {
  const { events, publish } = setUp()
  const { stream, end } = subscribe(events, { accepts: ({ Actor }) => Actor.ID !== 'b' })
  publish('a', 'b', 'c')
  end()
  assert.deepEqual(await idsOf(stream), ['a', 'c'])
})

test('subscribe() with an aborted signal ends at once', async () => {
  const { events } = setUp()
  assert.deepEqual(await idsOf(events.subscribe({}, AbortSignal.abort())), [])
})

test('publish() writes the time twice, as Docker does', async () => {
  const { events } = setUp()
  const { stream, end } = subscribe(events)
  events.publish('network', 'connect', 'n', { container: 'c' })
  end()
  const [event] = await Array.fromAsync(stream)
  assert.deepEqual(event, {
    Type: 'network',
    Action: 'connect',
    Actor: { ID: 'n', Attributes: { container: 'c' } },
    scope: 'local',
    time: 1,
    timeNano: 1_000_000_000n,
  })
})
