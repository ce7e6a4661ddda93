import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoint, inside, useNetworks } from './testing/use-networks.ts'

const t = useNetworks()
const names = ['n0', 'n1', 'n2', 'n3', 'n4']

test('fifty containers on five networks, connected and disconnected at once, keep addresses apart and lose none', async () => {
  await Promise.all(names.map((Name) => t.create({ Name, EnableIPv6: true })))
  const wanted = Array.from({ length: 50 }, (_, index) => t.request({ mode: names[index % 5] ?? '' }))
  await Promise.all(wanted.map((one) => t.networks.attach(one)))
  const others = (index: number) => [names[(index + 1) % 5] ?? '', names[(index + 2) % 5] ?? '']
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      wanted.map(async ({ containerId }, index) => {
        for (const network of others(index)) await t.networks.connect({ containerId, network, settings: endpoint() })
        for (const network of others(index)) await t.networks.disconnect({ containerId, network })
      }),
    )
  }
  await Promise.all(
    wanted.map(async ({ containerId }, index) => {
      for (const network of others(index)) await t.networks.connect({ containerId, network, settings: endpoint() })
    }),
  )
  for (const name of names) {
    const members = Object.values(t.networks.describe(name).Containers)
    assert.equal(members.length, 30)
    const addresses = members.flatMap(({ IPv4Address, IPv6Address, MacAddress }) => [
      IPv4Address,
      IPv6Address,
      MacAddress,
    ])
    assert.equal(new Set(addresses).size, 90)
  }
  const [first, last] = [wanted[0], wanted[49]].map((one) => t.networks.attachment(one?.containerId ?? ('' as never)))
  const shared = names.find((name) => first?.endpoints[name] && last?.endpoints[name]) ?? ''
  const answer = await inside(
    first?.netnsPath,
    'busybox',
    'ping',
    '-c1',
    '-W2',
    last?.endpoints[shared]?.IPAddress ?? '',
  )
  assert.match(answer, / 0% packet loss/)
  const links = (await inside(first?.netnsPath, 'ip', '-o', 'link')).trim().split('\n')
  assert.deepEqual(
    // ip(8) also says of a namespace below /run/netns that comes or goes meanwhile that it is invalid.
    links.flatMap((line) => /^\d+: (\w+)/.exec(line)?.[1] ?? []),
    ['lo', 'eth0', 'eth1', 'eth2'],
  )
  await Promise.all(wanted.map(({ containerId }) => t.networks.detach(containerId)))
  await Promise.all(names.map((name) => t.networks.remove(name)))
  assert.deepEqual(
    t.networks.list().map(({ Name }) => Name),
    ['bridge', 'host', 'none'],
  )
})

test('networks made and removed at once: one of each name, subnets apart', async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => t.create({ Name: `m${index % 10}` })),
  )
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 10)
  const subnets = t.networks.list().flatMap(({ IPAM }) => IPAM.Config?.[0]?.Subnet ?? [])
  assert.deepEqual([subnets.length, new Set(subnets).size], [11, 11])
  const removals = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => t.networks.remove(`m${index % 10}`)),
  )
  assert.equal(removals.filter(({ status }) => status === 'fulfilled').length, 10)
})

test('a network that is being removed takes no container in, and one that holds a container stays', async () => {
  await t.create({ Name: 'n' })
  const { containerId } = t.request()
  const results = await Promise.allSettled([
    t.networks.attach(t.request({ containerId, mode: 'n' })),
    t.networks.remove('n'),
  ])
  const isThere = t.networks.list().some(({ Name }) => Name === 'n')
  assert.deepEqual([results[0]?.status === 'fulfilled', results[1]?.status === 'rejected'], [isThere, isThere])
})
