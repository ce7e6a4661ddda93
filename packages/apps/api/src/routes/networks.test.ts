import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Containers } from '@berth/containers'
import type { NetworkCreateRequest } from '@berth/engine-api'
import type { Networks } from '@berth/networks'
import { serve } from '../testing/fakes.ts'

test('GET /networks/{id} takes names with slashes, and only the scope that is asked for', async () => {
  await using api = await serve()
  const get = async (target: string) => (await api.call('GET', `/networks/${target}`)).status
  assert.deepEqual(
    await Promise.all(['bridge', 'a/b', 'a%2Fb', 'nope', 'bridge?scope=local', 'bridge?scope=swarm'].map(get)),
    [200, 200, 200, 404, 200, 404],
  )
  assert.match(
    (await api.call('GET', '/networks/bridge?verbose=x')).text,
    /invalid value for verbose: x: strconv.ParseBool: parsing \\"x\\": invalid syntax/,
  )
})

test('GET /networks shows containers to old clients only, and filters', async () => {
  await using api = await serve()
  const names = async (filters: object) =>
    ((await api.json(`/networks?filters=${encodeURIComponent(JSON.stringify(filters))}`)) as { Name: string }[]).map(
      ({ Name }) => Name,
    )
  const list = (await api.json('/networks/')) as { Containers: object }[]
  assert.deepEqual(list[0]?.Containers, {})
  const old = (await api.json('/v1.27/networks?filters={"name":["brid"]}')) as { Containers: object }[]
  assert.deepEqual([old.length, Object.keys(old[0]!.Containers)], [1, ['x']])
  assert.deepEqual(await names({ id: ['b'], driver: ['host'] }), ['host'])
  assert.deepEqual(await names({ type: ['custom'] }), [])
  assert.deepEqual(await names({ dangling: ['true'] }), [])
  for (const [filters, message] of [
    [
      { dangling: ['x'] },
      `invalid value for filter 'dangling', must be \\"true\\" (or \\"1\\"), or \\"false\\" (or \\"0\\")`,
    ],
    [{ type: ['x'] }, `invalid filter: 'type'='x'`],
    [{ foo: ['x'] }, `invalid filter 'foo'`],
  ] as const) {
    const { status, text } = await api.call('GET', `/networks?filters=${encodeURIComponent(JSON.stringify(filters))}`)
    assert.deepEqual([status, text], [400, `{"message":"${message}"}\n`])
  }
})

test('POST /networks/create hands the request on; before 1.48 IPv4 is not a choice', async () => {
  const requests: NetworkCreateRequest[] = []
  const networks: Partial<Networks> = {
    create: async (request) => {
      requests.push(request)
      return 'n1' as Awaited<ReturnType<Networks['create']>>
    },
  }
  await using api = await serve({ networks })
  const body = { Name: 'x', EnableIPv4: false, IPAM: { Config: [{ subnet: '10.0.0.0/24' }] } }
  const answer = await api.call('POST', '/networks/create', body)
  assert.deepEqual([answer.status, answer.text], [201, '{"Id":"n1","Warning":""}\n'])
  await api.call('POST', '/v1.47/networks/create', body)
  assert.deepEqual(
    requests.map(({ EnableIPv4, EnableIPv6, IPAM }) => [EnableIPv4, EnableIPv6, IPAM?.Config]),
    [
      [false, null, [{ Subnet: '10.0.0.0/24' }]],
      [null, null, [{ Subnet: '10.0.0.0/24' }]],
    ],
  )
  assert.equal((await api.call('POST', '/networks/create', { Name: 1 })).status, 400)
})

test('POST /networks/{id}/connect and disconnect reach the containers, whatever the name', async () => {
  const calls: unknown[] = []
  const containers: Partial<Containers> = {
    connectNetwork: async ({ network, container, settings }) => {
      calls.push(['connect', network, container, settings?.GwPriority])
    },
    disconnectNetwork: async ({ network, container, force }) => {
      calls.push(['disconnect', network, container, force])
    },
  }
  await using api = await serve({ containers })
  const post = async (target: string, body: object) => (await api.call('POST', target, body)).status
  const connect = { Container: 'c', EndpointConfig: { GwPriority: 3 } }
  assert.deepEqual(
    [
      await post('/networks/a/b/connect', connect),
      await post('/v1.47/networks/a%2Fb/connect', connect),
      await post('/networks/n/connect', { Container: 'c' }),
      await post('/networks/n/disconnect', { Container: 'c', Force: true }),
      await post('/networks/n/nope', {}),
    ],
    [200, 200, 200, 200, 404],
  )
  assert.deepEqual(calls, [
    ['connect', 'a/b', 'c', 3],
    ['connect', 'a/b', 'c', 0],
    ['connect', 'n', 'c', undefined],
    ['disconnect', 'n', 'c', true],
  ])
})
