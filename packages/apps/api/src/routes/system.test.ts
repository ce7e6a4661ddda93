import type { EngineEvent, EventQuery } from '@berth/events'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serve } from '../testing/fakes.ts'

test('GET /version and /info present by version', async () => {
  await using api = await serve()
  const version = (await api.json('/version')) as Record<string, unknown>
  assert.deepEqual(
    [version['Version'], version['ApiVersion'], version['MinAPIVersion'], version['Os'], version['Arch']],
    ['1.2.3', '1.51', '1.24', 'linux', 'amd64'],
  )
  const info = async (api_: string) => (await api.json(`/v${api_}/info`)) as Record<string, Record<string, unknown>>
  const newest = await info('1.51')
  assert.deepEqual(
    [newest['Containers'], newest['ContainersRunning'], newest['Images'], newest['OSType']],
    [1, 1, 1, 'linux'],
  )
  const names = ['KernelMemory', 'BridgeNfIptables', 'FirewallBackend'] as const
  const present = (document: object) => names.map((name) => name in document)
  assert.deepEqual(present(newest), [false, false, true])
  assert.deepEqual(present(await info('1.49')), [false, true, true])
  assert.deepEqual(present(await info('1.41')), [true, true, false])
  assert.deepEqual((await info('1.48'))['RuncCommit'], { ID: 'c1', Expected: 'c1' })
  assert.deepEqual(newest['RuncCommit'], { ID: 'c1' })
  assert.deepEqual((await info('1.43'))['Runtimes'], { crun: { path: 'crun' } })
})

test('GET /system/df gives what was asked for', async () => {
  await using api = await serve()
  const keys = async (target: string) => Object.keys((await api.json(target)) as object).toSorted()
  assert.deepEqual(await keys('/system/df'), ['BuildCache', 'Containers', 'Images', 'LayersSize', 'Volumes'])
  assert.deepEqual(await keys('/system/df?type=container&type=volume'), ['Containers', 'Volumes'])
  assert.equal((await keys('/v1.41/system/df?type=container')).length, 5)
  assert.match((await api.call('GET', '/system/df?type=zz')).text, /unknown object type: zz/)
})

const event: EngineEvent = {
  Type: 'container',
  Action: 'start',
  Actor: { ID: 'abc', Attributes: { image: 'busybox', name: 'web' } },
  scope: 'local',
  time: 1795248655,
  timeNano: 1795248655869236382n,
}

test('GET /events writes nanoseconds exactly and the fields of old', async () => {
  const queries: EventQuery[] = []
  await using api = await serve({
    events: {
      async *subscribe(query) {
        queries.push(query)
        yield event
        yield { ...event, Type: 'network', Actor: { ID: 'n', Attributes: {} } }
      },
    },
  })
  const { text } = await api.call('GET', '/events?since=1.5&until=3')
  assert.deepEqual(text.split('\n'), [
    '{"status":"start","id":"abc","from":"busybox","Type":"container","Action":"start","Actor":{"ID":"abc","Attributes":{"image":"busybox","name":"web"}},"scope":"local","time":1795248655,"timeNano":1795248655869236382}',
    '{"Type":"network","Action":"start","Actor":{"ID":"n","Attributes":{}},"scope":"local","time":1795248655,"timeNano":1795248655869236382}',
    '',
  ])
  assert.deepEqual([queries[0]?.sinceNs, queries[0]?.untilNs], [1_500_000_000n, 3_000_000_000n])
  assert.match((await api.call('GET', '/events?since=5&until=1')).text, /`since` time \(5\) cannot be after/)
  assert.equal((await api.call('GET', '/events?since=zz')).status, 400)
})

test('what is not available says so', async () => {
  await using api = await serve()
  const cases: [string, string, number][] = [
    ['POST', '/build?version=2', 501],
    ['POST', '/session', 400],
    ['POST', '/grpc', 400],
    ['PUT', '/volumes/x', 503],
    ['GET', '/swarm', 503],
    ['POST', '/swarm/leave', 503],
    ['GET', '/nodes/x', 503],
    ['POST', '/services/create', 503],
    ['GET', '/plugins/x/json', 404],
  ]
  for (const [method, target, status] of cases) {
    assert.equal((await api.call(method, target)).status, status, `${method} ${target}`)
  }
  assert.deepEqual(await api.json('/plugins'), [])
  assert.deepEqual(await api.json('/volumes'), { Volumes: [], Warnings: null })
})
