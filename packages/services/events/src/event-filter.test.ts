import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Filters } from '@berth/base'
import { eventFilter } from './event-filter.ts'
import type { EngineEvent, EventType } from './events.ts'

const event = (Type: EventType, Action: string, ID: string, Attributes: Record<string, string> = {}): EngineEvent => ({
  Type,
  Action,
  Actor: { ID, Attributes },
  scope: 'local',
  time: 0,
  timeNano: 0n,
})

const start = event('container', 'start', 'abcdef', { name: 'web', image: 'localhost:5000/app:v1', tier: 'front' })
const health = event('container', 'health_status: healthy', 'abcdef', { name: 'web' })
const exec = event('container', 'exec_create: sh -c x', 'abcdef', { name: 'web' })
const tag = event('image', 'tag', 'sha256:99', { name: 'busybox:1' })
const connect = event('network', 'connect', 'net1', { name: 'bridge', container: 'abcdef' })
const all = { start, health, exec, tag, connect }

const accepted = (filters: Filters) => {
  const accepts = eventFilter(filters)
  return Object.entries(all)
    .filter(([, one]) => accepts(one))
    .map(([name]) => name)
    .join(' ')
}

const table: readonly (readonly [Filters, string])[] = [
  [{}, 'start health exec tag connect'],
  [{ type: [] }, 'start health exec tag connect'],
  [{ type: ['container'] }, 'start health exec'],
  [{ type: ['image', 'network'] }, 'tag connect'],
  [{ event: ['start'] }, 'start'],
  [{ event: ['star'] }, ''],
  [{ event: ['health_status'] }, 'health'],
  [{ event: ['health_status: healthy'] }, 'health'],
  [{ event: ['health_status: unhealthy'] }, ''],
  [{ event: ['exec_create', 'tag'] }, 'exec tag'],
  [{ container: ['web'] }, 'start health exec'],
  [{ container: ['abc'] }, 'start health exec'],
  [{ container: ['bcd'] }, ''],
  [{ network: ['bridge'] }, 'connect'],
  [{ network: ['net'] }, 'connect'],
  [{ image: ['localhost:5000/app:v1'] }, 'start'],
  [{ image: ['localhost:5000/app'] }, 'start'],
  [{ image: ['busybox'] }, 'tag'],
  [{ image: ['busybox:1'] }, 'tag'],
  [{ image: ['sha256:99'] }, 'tag'],
  [{ image: ['busy'] }, ''],
  [{ label: ['tier'] }, 'start'],
  [{ label: ['tier=front', 'name'] }, 'start'],
  [{ label: ['tier=back'] }, ''],
  [{ label: ['toString'] }, ''],
  [{ scope: ['local'] }, 'start health exec tag connect'],
  [{ scope: ['swarm'] }, ''],
  [{ container: ['web'], event: ['start', 'die'] }, 'start'],
]

for (const [filters, expected] of table) {
  test(`eventFilter() with ${JSON.stringify(filters)} accepts ${expected || 'nothing'}`, () => {
    assert.equal(accepted(filters), expected)
  })
}

test('eventFilter() refuses an unknown name', () => {
  assert.throws(() => eventFilter({ colour: ['red'] }), { kind: 'invalid', message: "invalid filter 'colour'" })
})
