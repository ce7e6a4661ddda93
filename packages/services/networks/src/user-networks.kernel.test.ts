import assert from 'node:assert/strict'
import { closeSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { listenSocket, RouteRequest } from '@berth/linux'
import { areSettled } from './endpoints/sandbox.ts'
import type { Attachment } from './networks.ts'
import { KeptDescriptors } from './testing/kept-descriptors.ts'
import { endpoint, inside, output, useNetworks } from './testing/use-networks.ts'

const t = useNetworks()
const lines = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trim())
const routes = async ({ netnsPath }: Attachment) =>
  lines(await inside(netnsPath, 'ip', 'route')).filter((line) => line.startsWith('default'))

/** Whether an answer comes back from `address`. */
const reaches = async ({ netnsPath }: Attachment, address: string): Promise<boolean> =>
  / 0% packet loss/.test(await inside(netnsPath, 'busybox', 'ping', '-c1', '-W1', address))

test('create() makes a bridge with both families, and shows what was asked and what was chosen', async () => {
  const id = await t.create({
    Name: 'n',
    EnableIPv6: true,
    IPAM: { Config: [{ Subnet: '10.9.0.0/24' }] },
    Labels: { a: 'b' },
  })
  const { IPAM, Labels, EnableIPv6, Driver } = t.networks.describe('n')
  const [asked, chosen] = IPAM.Config ?? []
  assert.deepEqual([asked, Labels, EnableIPv6, Driver], [{ Subnet: '10.9.0.0/24' }, { a: 'b' }, true, 'bridge'])
  assert.match(chosen?.Subnet ?? '', /^fd[\da-f:]+::\/64$/)
  const link = t.host.link(`br-${id.slice(0, 12)}`)
  const addresses = t.host
    .addresses()
    .filter(({ index, address }) => index === link?.index && !address.startsWith('fe80'))
  assert.deepEqual(
    addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
    ['10.9.0.1/24', `${chosen?.Gateway}/64`],
  )
})

test('create() refuses what cannot hold, in Docker’s words, and leaves nothing of it', async () => {
  await t.create({ Name: 'first', IPAM: { Config: [{ Subnet: '10.9.0.0/24' }] } })
  const before = [t.host.links().map(({ name }) => name), t.networks.list().length]
  const config = (...Config: object[]) => ({ IPAM: { Config } })
  const cases: [Record<string, unknown>, string, string][] = [
    [{ Name: '' }, 'invalid', 'invalid name: name is empty'],
    [{ Name: 'host' }, 'forbidden', 'operation is not permitted on predefined host network '],
    [{ Name: 'first' }, 'conflict', 'network with name first already exists'],
    [{ Name: 'first', ...config({ Subnet: '10.9.0.0/99' }) }, 'invalid', 'invalid subnet 10.9.0.0/99'],
    [
      { Name: 'n', ConfigOnly: true, Internal: true },
      'forbidden',
      'configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.',
    ],
    [{ Name: 'n', ConfigOnly: true, Scope: 'local' }, 'forbidden', 'configuration network can only contain'],
    [{ Name: 'n', Driver: 'nope' }, 'notFound', 'plugin "nope" not found'],
    [{ Name: 'n', Driver: 'null' }, 'forbidden', 'only one instance of "null" network is allowed'],
    [{ Name: 'n', Driver: 'macvlan' }, 'invalid', 'a macvlan network needs a parent'],
    [
      { Name: 'n', Driver: 'macvlan', Options: { parent: 'lo' } },
      'internal',
      'loopback interface is not a valid macvlan parent link',
    ],
    [{ Name: 'n', Driver: 'macvlan', Options: { parent: 'nope0' } }, 'internal', 'was not found on the host'],
    [{ Name: 'n', IPAM: { Driver: 'nope' } }, 'notFound', 'plugin "nope" not found'],
    [{ Name: 'n', Scope: 'swarm' }, 'forbidden', 'cannot create a swarm scoped network when swarm is not active'],
    [{ Name: 'n', EnableIPv4: false }, 'invalid', 'IPv4 or IPv6 must be enabled'],
    [
      { Name: 'n', ...config({ Subnet: '10.9.0.128/25' }) },
      'forbidden',
      'invalid pool request: Pool overlaps with other one on this address space',
    ],
    [
      { Name: 'n', ...config({ Subnet: '10.8.0.0/24' }, { Subnet: '10.8.0.0/25' }) },
      'forbidden',
      "bridge driver doesn't support multiple subnets",
    ],
    [
      { Name: 'n', ...config({ Subnet: '10.8.0.0/24', Gateway: '10.8.0.0' }) },
      'internal',
      'failed to allocate gateway (10.8.0.0): Address already in use',
    ],
    [
      { Name: 'n', ...config({ Subnet: '10.8.0.0/24', Gateway: '10.8.0.2', AuxiliaryAddresses: { x: '10.8.0.2' } }) },
      'internal',
      'failed to allocate secondary ip address (x:10.8.0.2): Address already in use',
    ],
    [
      { Name: 'n', ...config({ Subnet: '10.8.0.5/24', Gateway: '10.9.0.1', IPRange: '10.8.0.0/16' }) },
      'invalid',
      `invalid network config:
* invalid subnet 10.8.0.5/24: it should be 10.8.0.0/24
* invalid ip-range 10.8.0.0/16: CIDR block is bigger than its parent subnet 10.8.0.5/24
* invalid gateway 10.9.0.1: parent subnet 10.8.0.5/24 doesn't contain this address`,
    ],
    [{ Name: 'n', ...config({}) }, 'invalid', 'invalid network config:\ninvalid subnet : invalid CIDR block notation'],
    [
      { Name: 'n', Options: { 'com.docker.network.bridge.name': 'berth0' } },
      'forbidden',
      'networks have same bridge name',
    ],
    [
      { Name: 'n', Options: { 'com.docker.network.bridge.name': 'lo' } },
      'internal',
      'existing interface lo is not a bridge',
    ],
    [{ Name: 'n', Options: { 'com.docker.network.bridge.name': 'a"; drop' } }, 'invalid', 'invalid bridge name'],
    [{ Name: 'n', Options: { 'com.docker.network.driver.mtu': '70000' } }, 'invalid', 'invalid MTU number: 70000'],
    [{ Name: 'n', ConfigFrom: { Network: 'nope' } }, 'notFound', 'configuration network "nope" does not exist'],
  ]
  for (const [body, kind, message] of cases) {
    await assert.rejects(t.create(body), (error: Error & { kind?: string }) => {
      assert.deepEqual(
        [error.kind, error.message.includes(message)],
        [kind, true],
        `${JSON.stringify(body)}: ${error.message}`,
      )
      return true
    })
  }
  assert.deepEqual([t.host.links().map(({ name }) => name), t.networks.list().length], before)
  // What was refused has taken no subnet.
  await t.create({ Name: 'n', IPAM: { Config: [{ Subnet: '10.8.0.0/24' }] } })
})

test('create() never takes a subnet that a route of the host leads to', async () => {
  t.host.send(new RouteRequest().addBridge('other0'), 'make other0')
  t.host.send(new RouteRequest().addAddress(t.host.link('other0')?.index ?? 0, '172.18.3.1', 24), 'address other0')
  await t.create({ Name: 'n' })
  assert.equal(t.networks.describe('n').IPAM.Config?.[0]?.Subnet, '172.19.0.0/16')
  await assert.rejects(t.create({ Name: 'm', IPAM: { Config: [{ Subnet: '172.18.0.0/16' }] } }), {
    kind: 'forbidden',
    message: "invalid pool request: Pool 172.18.0.0/16 overlaps with the host's route 172.18.3.0/24",
  })
  t.host.send(new RouteRequest().deleteLink('other0'), 'delete other0')
})

test('create() with a template takes its settings; a template holds no container and stays while it is used', async () => {
  await t.create({
    Name: 'template',
    ConfigOnly: true,
    IPAM: { Config: [{ Subnet: '10.8.0.0/24' }] },
    Labels: { a: 'b' },
  })
  await t.create({ Name: 'n', ConfigFrom: { Network: 'template' } })
  const { IPAM, ConfigFrom, Labels } = t.networks.describe('n')
  assert.deepEqual(
    [IPAM.Config, ConfigFrom, Labels],
    [[{ Subnet: '10.8.0.0/24' }], { Network: 'template' }, { a: 'b' }],
  )
  await t.create({ Name: 'bare', ConfigOnly: true, IPAM: { Config: [] } })
  assert.equal(t.networks.describe('bare').IPAM.Config, null)
  await t.create({ Name: 'm', ConfigFrom: { Network: 'bare' } })
  assert.equal(t.networks.describe('m').IPAM.Config?.length, 1)
  await assert.rejects(t.networks.attach(t.request({ mode: 'template' })), /configuration-only network/)
  await assert.rejects(t.networks.remove('template'), /configuration network "template" is in use/)
})

test('create() keeps a bridge that was there before, and remove() leaves it', async () => {
  t.host.send(new RouteRequest().addBridge('mine0'), 'make mine0')
  await t.create({ Name: 'n', Options: { 'com.docker.network.bridge.name': 'mine0' } })
  await t.networks.remove('n')
  assert.equal(t.host.link('mine0')?.kind, 'bridge')
  t.host.send(new RouteRequest().deleteLink('mine0'), 'delete mine0')
})

test('attach() to several networks orders interfaces and routes by priority, inner networks last', async () => {
  for (const Name of ['a', 'b']) await t.create({ Name })
  await t.create({ Name: 'inner', Internal: true })
  const endpoints = { inner: endpoint(), b: endpoint(), a: endpoint() }
  const plain = await t.networks.attach(t.request({ mode: 'b', endpoints }))
  assert.deepEqual(Object.keys(plain.endpoints), ['a', 'b', 'inner'])
  assert.deepEqual(await routes(plain), [`default via ${plain.endpoints['a']?.Gateway} dev eth0`])
  assert.equal(plain.endpoints['inner']?.Gateway, '')
  const first = await t.networks.attach(
    t.request({ mode: 'b', endpoints: { ...endpoints, b: endpoint({ GwPriority: 1 }) } }),
  )
  assert.deepEqual(await routes(first), [`default via ${first.endpoints['b']?.Gateway} dev eth0`])
  assert.equal(await reaches(first, plain.endpoints['inner']?.IPAddress ?? ''), true)
})

test('attach() and connect() end when the links pass frames: the first one is not dropped', async () => {
  for (const Name of ['a', 'b']) await t.create({ Name })
  const bridges = ['a', 'b'].map((name) => `br-${t.networks.get(name).id.slice(0, 12)}`)
  // The kernel does that part in the background: once in five times it was late. A list, unlike a question for one
  // link, does not hurry it.
  const idle = (names: readonly string[]) =>
    t.host.links().filter(({ name, isOperational }) => names.includes(name) && !isOperational)
  for (let round = 0; round < 30; round++) {
    const request = t.request({ mode: 'a' })
    const { containerId } = request
    const alone = await t.networks.attach(request)
    assert.deepEqual(idle([...alone.interfaces.map(({ host }) => host), bridges[0]!]), [])
    const both = await t.networks.connect({ containerId, network: 'b', settings: endpoint() })
    assert.deepEqual(idle([...both.interfaces.map(({ host }) => host), ...bridges]), [])
    await t.networks.detach(containerId)
  }
})

test('attach() waits for no spanning tree, which holds a port of a user’s bridge back for half a minute', async () => {
  await output('ip', ['link', 'add', 'mine0', 'type', 'bridge', 'stp_state', '1'])
  await t.create({ Name: 'n', Options: { 'com.docker.network.bridge.name': 'mine0' } })
  const { interfaces } = await t.networks.attach(t.request({ mode: 'n' }))
  const port = t.host.link(interfaces[0]?.host ?? '')
  assert.deepEqual([port?.isOperational, port?.isHeldBack, t.host.link('mine0')?.isOperational], [true, true, false])
  // That it asks before it waits, and finds nothing to wait for, no machine is too slow for.
  assert.equal(await areSettled(t.host, [port?.index ?? 0, 'mine0']), true)
  await t.networks.reconcile([])
  await t.networks.remove('n')
  t.host.send(new RouteRequest().deleteLink('mine0'), 'delete mine0')
})

test('attach() serves names that a client hears who hears 127.0.0.11 only', async () => {
  await t.create({ Name: 'a' })
  const { netnsPath } = await t.networks.attach(t.request({ mode: 'a', name: 'www' }))
  assert.match(await inside(netnsPath, 'busybox', 'nslookup', 'www', '127.0.0.11'), /Name:\s+www/)
})

test('attach() gives both families, the address and MAC that were asked for, and link-local ones', async () => {
  const Config = [{ Subnet: '10.8.0.0/24' }, { Subnet: 'fd00:8::/64' }]
  await t.create({ Name: 'n', EnableIPv6: true, IPAM: { Config } })
  const IPAMConfig = { IPv4Address: '10.8.0.9', IPv6Address: 'FD00:8::00:9', LinkLocalIPs: ['169.254.7.7'] }
  const asked = endpoint({ IPAMConfig, MacAddress: '02:00:00:00:00:09', Aliases: ['alias'] })
  const wanted = t.request({ mode: 'n', endpoints: { n: asked } })
  const attachment = await t.networks.attach(wanted)
  const got = attachment.endpoints['n']
  assert.deepEqual(
    [
      got?.IPAddress,
      got?.IPPrefixLen,
      got?.GlobalIPv6Address,
      got?.GlobalIPv6PrefixLen,
      got?.IPv6Gateway,
      got?.MacAddress,
    ],
    ['10.8.0.9', 24, 'fd00:8::9', 64, 'fd00:8::1', '02:00:00:00:00:09'],
  )
  assert.deepEqual(got?.DNSNames, [wanted.name, 'alias', wanted.containerId.slice(0, 12)])
  assert.deepEqual(got?.IPAMConfig, IPAMConfig)
  const other = await t.networks.attach(t.request({ mode: 'n' }))
  assert.deepEqual(
    [await reaches(other, '10.8.0.9'), await reaches(other, 'fd00:8::9'), await reaches(other, 'fd00:8::1')],
    [true, true, true],
  )
  assert.match(await inside(attachment.netnsPath, 'ip', 'addr', 'show', 'eth0'), /169\.254\.7\.7\/16/)
  await assert.rejects(t.networks.attach(t.request({ mode: 'n', endpoints: { n: asked } })), {
    message: 'failed to set up container networking: Address already in use',
  })
  await t.networks.detach(wanted.containerId)
  assert.equal(
    (await t.networks.attach(t.request({ mode: 'n', endpoints: { n: asked } }))).endpoints['n']?.IPAddress,
    '10.8.0.9',
  )
})

test('attach() gives each interface the IPv6 that its network has', async () => {
  await t.create({ Name: 'four' })
  await t.create({ Name: 'six', EnableIPv6: true })
  const without = async (names: readonly string[]) => {
    const endpoints = Object.fromEntries(names.map((name) => [name, endpoint()]))
    const { netnsPath, interfaces } = await t.networks.attach(t.request({ mode: names[0] ?? '', endpoints }))
    const settings = [...interfaces.map((link) => link.inside), 'default'].map((name) => `net.ipv6.conf.${name}`)
    const asked = settings.map((setting) => `${setting}.disable_ipv6`)
    return lines(await inside(netnsPath, 'sysctl', '-n', ...asked))
  }
  assert.deepEqual(
    [await without(['four']), await without(['six']), await without(['four', 'six'])],
    [
      ['1', '0'],
      ['0', '0'],
      ['0', '1', '0'],
    ],
  )
})

test('attach() whose network goes away before it is its turn fails, and leaves nothing', async () => {
  await t.create({ Name: 'short-lived' })
  const others = Array.from({ length: 4 }, () => t.request())
  const attached = others.map((other) => t.networks.attach(other))
  const late = t.request({ mode: 'short-lived', portBindings: { '80/tcp': [{ HostIp: '', HostPort: '18078' }] } })
  const failure = assert.rejects(t.networks.attach(late), {
    kind: 'notFound',
    message: /network short-lived not found/,
  })
  await t.networks.remove('short-lived')
  await Promise.all([failure, ...attached])
  assert.equal(t.networks.attachment(late.containerId), undefined)
  await t.networks.attach({ ...late, mode: 'bridge' })
  for (const { containerId } of [late, ...others]) await t.networks.detach(containerId)
})

test('attach() says in Docker’s words that no interface takes a MAC address, and leaves nothing', async () => {
  await t.create({ Name: 'n' })
  for (const MacAddress of ['01:00:00:00:00:01', '00:00:00:00:00:00']) {
    await assert.rejects(t.networks.attach(t.request({ mode: 'n', endpoints: { n: endpoint({ MacAddress }) } })), {
      message: new RegExp(
        '^failed to set up container networking: failed to add interface (veth\\w+) to sandbox: ' +
          `error setting interface "\\1" MAC to "${MacAddress}": cannot assign requested address$`,
      ),
    })
  }
  assert.deepEqual(Object.keys(t.networks.describe('n').Containers), [])
})

test('attach() uses the interface name and the sysctls that were asked for', async () => {
  await t.create({ Name: 'n', Options: { 'com.docker.network.container_iface_prefix': 'net' } })
  const DriverOpts = {
    'com.docker.network.endpoint.ifname': 'wan0',
    'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.conf.IFNAME.arp_announce=2',
  }
  const endpoints = { n: endpoint({ DriverOpts }), bridge: endpoint() }
  const { netnsPath, interfaces } = await t.networks.attach(t.request({ mode: 'n', endpoints }))
  assert.deepEqual(interfaces.map((one) => one.inside).toSorted(), ['eth0', 'wan0'])
  const sysctl = (name: string) => inside(netnsPath, 'cat', `/proc/sys/net/ipv4/conf/wan0/${name}`)
  assert.deepEqual([await sysctl('log_martians'), await sysctl('arp_announce')], ['1\n', '2\n'])
  const prefixed = await t.networks.attach(t.request({ mode: 'n' }))
  assert.equal(prefixed.interfaces[0]?.inside, 'net0')
  const twice = { n: endpoint({ DriverOpts }), bridge: endpoint({ DriverOpts }) }
  await assert.rejects(t.networks.attach(t.request({ mode: 'n', endpoints: twice })), /file exists/)
})

test('attach() chooses from the range and runs out in Docker’s words', async () => {
  await t.create({ Name: 'n', IPAM: { Config: [{ Subnet: '10.8.0.0/24', IPRange: '10.8.0.64/30' }] } })
  const id = t.networks.get('n').id
  const attach = async () => (await t.networks.attach(t.request({ mode: 'n' }))).endpoints['n']
  const got = [await attach(), await attach(), await attach()]
  assert.deepEqual(
    got.map((one) => one?.IPAddress),
    ['10.8.0.65', '10.8.0.66', '10.8.0.67'],
  )
  assert.equal(got[0]?.Gateway, '10.8.0.64')
  await assert.rejects(attach(), {
    message: `failed to set up container networking: no available IPv4 addresses on this network's address pools: n (${id})`,
  })
})

test('connect() and disconnect() change a running container’s links, routes, hosts and ports', async () => {
  for (const Name of ['a', 'b']) await t.create({ Name })
  await t.create({ Name: 'inner', Internal: true })
  const wanted = t.request({ mode: 'inner', portBindings: { '80/tcp': [{ HostIp: '', HostPort: '18099' }] } })
  const { containerId, hostname } = wanted
  const alone = await t.networks.attach(wanted)
  assert.deepEqual([await routes(alone), alone.ports], [[], {}])
  writeFileSync(alone.hostsPath, `${readFileSync(alone.hostsPath, 'utf8')}1.2.3.4 mine\n`)
  const both = await t.networks.connect({ containerId, network: 'b', settings: endpoint({ Aliases: ['x'] }) })
  const [b, inner] = [both.endpoints['b'], both.endpoints['inner']]
  assert.deepEqual(await routes(both), [`default via ${b?.Gateway} dev eth1`])
  assert.equal(both.ports['80/tcp']?.[0]?.HostPort, '18099')
  assert.deepEqual(lines(readFileSync(both.hostsPath, 'utf8')).slice(6), [
    `${inner?.IPAddress}\t${hostname}`,
    '1.2.3.4 mine',
    `${b?.IPAddress}\t${hostname}`,
  ])
  const three = await t.networks.connect({ containerId, network: 'a', settings: endpoint() })
  assert.deepEqual(await routes(three), [`default via ${three.endpoints['a']?.Gateway} dev eth2`])
  await assert.rejects(t.networks.connect({ containerId, network: 'a', settings: endpoint() }), {
    kind: 'forbidden',
    message: `endpoint with name ${wanted.name} already exists in network a`,
  })
  await assert.rejects(t.networks.remove('a'), /network a has active endpoints \(name:"c-[\da-f]+" id:"[\da-f]{12}"\)/)
  const less = await t.networks.disconnect({ containerId, network: 'a' })
  assert.deepEqual(await routes(less), [`default via ${b?.Gateway} dev eth1`])
  await assert.rejects(t.networks.disconnect({ containerId, network: 'a' }), {
    kind: 'internal',
    message: `container ${containerId} is not connected to network a`,
  })
  const least = await t.networks.disconnect({ containerId, network: 'b' })
  assert.deepEqual([await routes(least), least.ports], [[], {}])
  assert.deepEqual(lines(readFileSync(both.hostsPath, 'utf8')).slice(6), [
    `${inner?.IPAddress}\t${hostname}`,
    '1.2.3.4 mine',
  ])
  assert.deepEqual(least, t.networks.attachment(containerId))
  await t.networks.remove('a')
})

test('connect(), disconnect() and detach() wait for the sockets of ports that were given back', async () => {
  using descriptors = new KeptDescriptors()
  await t.reopen({ descriptors })
  for (const Name of ['a', 'b']) await t.create({ Name })
  const bound = [{ HostIp: '', HostPort: '18098' }]
  const portBindings = { '80/tcp': bound, '81/udp': bound }
  for (let round = 0; round < 2; round++) {
    const wanted = t.request({ mode: 'a', portBindings })
    const { containerId } = wanted
    const { ports } = await t.networks.attach(wanted)
    const settings = endpoint({ GwPriority: 1 })
    assert.deepEqual((await t.networks.connect({ containerId, network: 'b', settings })).ports, ports)
    assert.deepEqual((await t.networks.disconnect({ containerId, network: 'b' })).ports, ports)
    await t.networks.detach(containerId)
  }
})

test('connect() and disconnect() that cannot take the ports along leave them where they were', async () => {
  const bindTo = (address: string) => ({ 'com.docker.network.bridge.host_binding_ipv4': address })
  await t.create({ Name: 'a', Options: bindTo('127.0.0.1') })
  await t.create({ Name: 'b', Options: bindTo('127.0.0.2') })
  const taken = (address: string) => listenSocket({ protocol: 'tcp', address, port: 18098 }).fd
  const published = async () =>
    (await output('nft', ['list', 'map', 'inet', 'berth', 'ports4'])).match(/tcp \. \S+/)?.[0]
  const wanted = t.request({ mode: 'a', portBindings: { '80/tcp': [{ HostIp: '', HostPort: '18098' }] } })
  const { containerId } = wanted
  const before = await t.networks.attach(wanted)
  const join = { containerId, network: 'b', settings: endpoint({ GwPriority: 1 }) }
  const other = taken('127.0.0.2')
  await assert.rejects(
    t.networks.connect(join),
    /failed to bind host port for 127.0.0.2:18098:.* address already in use/,
  )
  assert.deepEqual([t.networks.attachment(containerId), await published()], [before, 'tcp . 127.0.0.1'])
  assert.throws(() => taken('127.0.0.1'), { code: 'EADDRINUSE' })
  closeSync(other)
  const both = await t.networks.connect(join)
  const another = taken('127.0.0.1')
  await assert.rejects(t.networks.disconnect({ containerId, network: 'b' }), /address already in use/)
  assert.deepEqual([t.networks.attachment(containerId), await published()], [both, 'tcp . 127.0.0.2'])
  closeSync(another)
  assert.deepEqual((await t.networks.disconnect({ containerId, network: 'b' })).ports, before.ports)
})

test('connect() that fails leaves the container as it was', async () => {
  await t.create({ Name: 'a' })
  const { containerId } = t.request()
  const before = await t.networks.attach(t.request({ containerId }))
  const DriverOpts = { 'com.docker.network.endpoint.ifname': 'eth0' }
  await assert.rejects(
    t.networks.connect({ containerId, network: 'a', settings: endpoint({ DriverOpts }) }),
    /file exists/,
  )
  assert.deepEqual(t.networks.attachment(containerId), before)
  const sysctls = { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.nope=1' }
  await assert.rejects(
    t.networks.connect({ containerId, network: 'a', settings: endpoint({ DriverOpts: sysctls }) }),
    /failed to set sysctl net.ipv4.conf.eth1.nope=1/,
  )
  assert.deepEqual(t.networks.attachment(containerId), before)
  assert.deepEqual(Object.keys(t.networks.describe('a').Containers), [])
  assert.equal(await inside(before.netnsPath, 'ls', '/proc/sys/net/ipv4/conf').then((text) => /eth1/.test(text)), false)
  const after = await t.networks.connect({ containerId, network: 'a', settings: endpoint() })
  assert.equal(await reaches(after, after.endpoints['a']?.Gateway ?? ''), true)
})

test('rename() changes the names that a container is found by', async () => {
  await t.create({ Name: 'a' })
  const wanted = t.request({ mode: 'a', endpoints: { a: endpoint({ Aliases: ['x'] }) } })
  await t.networks.attach(wanted)
  t.networks.rename(wanted.containerId, 'new')
  const names = t.networks.attachment(wanted.containerId)?.endpoints['a']?.DNSNames
  assert.deepEqual(names, ['new', 'x', wanted.containerId.slice(0, 12)])
  assert.equal(t.networks.describe('a').Containers[wanted.containerId]?.Name, 'new')
})

test('prune() removes the networks of users that hold nobody, by label and age', async () => {
  await t.create({ Name: 'a', Labels: { keep: '' } })
  await t.create({ Name: 'b' })
  await t.create({ Name: 'c' })
  await t.networks.attach(t.request({ mode: 'b' }))
  assert.deepEqual(await t.networks.prune({ until: ['1h'] }), [])
  assert.deepEqual(await t.networks.prune({ 'label!': ['keep'] }), ['c'])
  assert.deepEqual(await t.networks.prune({}), ['a'])
  for (const filter of ['name', 'dangling', 'driver', 'id', 'scope', 'type']) {
    await assert.rejects(t.networks.prune({ [filter]: ['true'] }), { message: `invalid filter '${filter}'` })
  }
  await assert.rejects(t.networks.remove('bridge'), {
    kind: 'forbidden',
    message: 'bridge is a pre-defined network and cannot be removed',
  })
})

test('the networks tell of their making and members by events', async () => {
  const controller = new AbortController()
  const stream = t.events.subscribe({}, controller.signal)
  const id = await t.create({ Name: 'a' })
  const { containerId } = t.request()
  await t.networks.attach(t.request({ containerId, mode: 'none' }))
  await t.networks.detach(containerId)
  await t.networks.attach(t.request({ containerId }))
  await t.networks.connect({ containerId, network: 'a', settings: endpoint() })
  await t.networks.disconnect({ containerId, network: 'a' })
  await t.networks.detach(containerId)
  await t.networks.remove('a')
  await t.networks.prune({})
  controller.abort()
  const heard = (await Array.fromAsync(stream)).map(({ Action, Actor }) => {
    const { name = '', type, container } = Actor.Attributes
    return [Action, name, type, container === containerId, Actor.ID === id]
  })
  assert.deepEqual(heard, [
    ['create', 'a', 'bridge', false, true],
    ['connect', 'none', 'null', true, false],
    ['disconnect', 'none', 'null', true, false],
    ['connect', 'bridge', 'bridge', true, false],
    ['connect', 'a', 'bridge', true, true],
    ['disconnect', 'a', 'bridge', true, true],
    ['disconnect', 'bridge', 'bridge', true, false],
    ['destroy', 'a', 'bridge', false, true],
    ['prune', '', undefined, false, false],
  ])
})

test('create() stacks a macvlan network on a link of the host, and containers join it beside bridges', async (context) => {
  t.host.send(new RouteRequest().addBridge('lan0'), 'make lan0')
  const { index } = t.host.link('lan0')!
  // The containers are to be members of the network that the host itself is in.
  t.host.send(new RouteRequest().addAddress(index, '10.7.0.250', 24).setUp(index), 'set up lan0')
  const deleteLan = () => t.host.send(new RouteRequest().deleteLink('lan0'), 'delete lan0')
  const Config = [{ Subnet: '10.7.0.0/24', Gateway: '10.7.0.254' }, { Subnet: '10.6.0.0/24' }]
  const body = { Name: 'm', Driver: 'macvlan', Options: { parent: 'lan0' }, IPAM: { Config } }
  try {
    await t.create(body)
  } catch (error) {
    // Only where the kernel says so itself.
    deleteLan()
    assert.match((error as Error).message, /the kernel has no driver macvlan/)
    return context.diagnostic('this kernel has no macvlan')
  }
  await assert.rejects(t.create({ ...body, Name: 'o' }), /network m is already using parent interface lan0/)
  const first = await t.networks.attach(t.request({ mode: 'm' }))
  const { containerId } = t.request()
  await t.networks.attach(t.request({ containerId }))
  const second = await t.networks.connect({ containerId, network: 'm', settings: endpoint() })
  assert.deepEqual([first.endpoints['m']?.IPAddress, second.endpoints['m']?.IPAddress], ['10.7.0.1', '10.7.0.2'])
  assert.deepEqual(await routes(first), ['default via 10.7.0.254 dev eth0'])
  assert.equal(await reaches(second, '10.7.0.1'), true)
  assert.deepEqual(Object.keys(await t.networks.counters(containerId)).toSorted(), ['eth0', 'eth1'])
  await t.reopen()
  await t.networks.disconnect({ containerId, network: 'm' })
  assert.doesNotMatch(await inside(second.netnsPath, 'ip', 'link'), /eth1/)
  await t.networks.attach(t.request({ mode: 'm' }))
  await t.networks.reconcile([])
  await t.networks.remove('m')
  deleteLan()
})

test('create() stacks an ipvlan network on a link of the host, or says that the kernel has no such links', async (context) => {
  t.host.send(new RouteRequest().addBridge('lan0'), 'make lan0')
  const deleteLan = () => t.host.send(new RouteRequest().deleteLink('lan0'), 'delete lan0')
  const Options = { parent: 'lan0', ipvlan_mode: 'l3' }
  const body = { Name: 'i', Driver: 'ipvlan', Options, IPAM: { Config: [{ Subnet: '10.7.0.0/24' }] } }
  await assert.rejects(
    t.create({ ...body, Options: { ...Options, ipvlan_mode: 'l4' } }),
    /ipvlan mode 'l4' is not valid/,
  )
  try {
    await t.create(body)
  } catch (error) {
    // Only where the kernel says so itself.
    deleteLan()
    assert.equal((error as Error).message, 'operation not supported: the kernel has no driver ipvlan')
    return context.diagnostic('this kernel has no ipvlan')
  }
  const first = await t.networks.attach(t.request({ mode: 'i' }))
  const second = await t.networks.attach(t.request({ mode: 'i' }))
  assert.deepEqual([first.endpoints['i']?.IPAddress, first.endpoints['i']?.MacAddress], ['10.7.0.2', ''])
  assert.deepEqual(await routes(first), ['default dev eth0 scope link'])
  assert.equal(await reaches(second, '10.7.0.2'), true)
  await t.networks.reconcile([])
  await t.networks.remove('i')
  deleteLan()
})
