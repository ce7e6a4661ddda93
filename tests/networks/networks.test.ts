import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Cli, useEngine } from '@berth/testing'

// Before the engine's own hooks, so that it is there yet when these run.
after(async () => {
  const containers = await docker.ok('ps', '-aq', '--filter', `label=${label}`)
  if (containers !== '') await docker.ok('rm', '-f', ...containers.split('\n'))
  for (const name of made) await docker.run(['network', 'rm', name])
})

const engine = useEngine()
let docker: Cli
const made: string[] = []
before(() => {
  docker = new Cli('docker', engine)
})

const label = `networks-test-${process.pid}`

async function network(...args: string[]): Promise<string> {
  const name = engine.name()
  await docker.ok('network', 'create', ...args, name)
  made.push(name)
  return name
}

async function sleeper(...args: string[]): Promise<string> {
  const name = engine.name()
  await docker.ok('run', '-d', '--label', label, '--name', name, ...args, 'busybox', 'sleep', '1000')
  return name
}

const inspect = async (container: string, path: string): Promise<unknown> =>
  JSON.parse(await docker.ok('inspect', '-f', `{{json ${path}}}`, container)) as unknown

type Endpoints = Record<string, { IPAddress: string; Gateway: string; DNSNames: string[]; Aliases: string[] | null }>
const endpoints = async (container: string) => (await inspect(container, '.NetworkSettings.Networks')) as Endpoints

async function pings(from: string, to: string): Promise<boolean> {
  const { code } = await docker.run(['exec', from, 'ping', '-c1', '-W2', to])
  return code === 0
}

const defaultRoutes = async (container: string): Promise<string[]> => {
  const lines = (await docker.ok('exec', container, 'ip', 'route')).split('\n')
  return lines.filter((line) => line.startsWith('default')).map((line) => line.trim())
}

test('three containers on two networks find each other by name and alias, and not after a disconnect', async () => {
  const [front, back] = [await network(), await network()]
  const web = await sleeper('--network', front)
  const db = await sleeper('--network', back, '--network-alias', 'database')
  const app = await sleeper('--network', front)
  await docker.ok('network', 'connect', '--alias', 'application', back, app)
  assert.deepEqual(
    [await pings(web, app), await pings(app, 'database'), await pings(db, 'application'), await pings(web, db)],
    [true, true, true, false],
  )
  assert.deepEqual(Object.keys(await endpoints(app)).toSorted(), [front, back].toSorted())
  await docker.ok('network', 'disconnect', back, app)
  assert.deepEqual([await pings(app, 'database'), await pings(app, web)], [false, true])
  await docker.ok('network', 'connect', back, app)
  assert.equal(await pings(app, 'database'), true)
})

test('network rm refuses while a container is in it, and a stopped one does not count', async () => {
  const name = await network()
  const container = await sleeper('--network', name)
  assert.match(await docker.fails('network', 'rm', name), /has active endpoints \(name:"[^"]+" id:"[\da-f]{12}"\)/)
  await docker.ok('stop', '-t', '0', container)
  await docker.ok('network', 'rm', name)
  assert.match(await docker.fails('start', container), /failed to set up container networking: network \S+ not found/)
})

test('a stopped container is taken into and out of networks, and keeps that through its starts', async () => {
  const [first, second] = [await network(), await network('--subnet', '10.213.7.0/24')]
  const container = await sleeper('--network', first)
  await docker.ok('stop', '-t', '0', container)
  await docker.ok('network', 'connect', '--ip', '10.213.7.77', '--alias', 'late', second, container)
  await docker.ok('network', 'disconnect', first, container)
  await docker.ok('start', container)
  const found = await endpoints(container)
  assert.deepEqual(Object.keys(found), [second])
  assert.equal(found[second]?.IPAddress, '10.213.7.77')
  assert.deepEqual(found[second]?.Aliases, ['late'])
  await docker.ok('restart', '-t', '0', container)
  assert.equal((await endpoints(container))[second]?.IPAddress, '10.213.7.77')
  await docker.ok('network', 'disconnect', second, container)
  await docker.ok('restart', '-t', '0', container)
  assert.deepEqual(await endpoints(container), {})
})

test('several networks at create: gateway priority, addresses, MAC addresses and names of interfaces', async () => {
  const [a, b] = [
    await network('--ipv6'),
    await network('--subnet', '10.213.8.0/24', '--ipv6', '--subnet', 'fd00:213:8::/64'),
  ]
  const options =
    'driver-opt=com.docker.network.endpoint.ifname=wan0,ip=10.213.8.9,ip6=fd00:213:8::9,mac-address=02:00:00:00:08:09'
  const container = await sleeper('--network', `name=${a},gw-priority=1`, '--network', `name=${b},${options}`)
  const found = await endpoints(container)
  assert.deepEqual(await defaultRoutes(container), [`default via ${found[a]?.Gateway} dev eth0`])
  const link = await docker.ok('exec', container, 'ip', 'addr', 'show', 'wan0')
  for (const part of ['10.213.8.9/24', 'fd00:213:8::9/64', '02:00:00:00:08:09']) assert.match(link, new RegExp(part))
  await docker.ok('network', 'disconnect', a, container)
  assert.deepEqual(await defaultRoutes(container), ['default via 10.213.8.1 dev wan0'])
})

test('an internal network leads nowhere but to its members', async () => {
  const [inner, outer] = [await network('--internal'), await network()]
  const [member, other, outside] = [
    await sleeper('--network', inner),
    await sleeper('--network', inner),
    await sleeper('--network', outer),
  ]
  assert.deepEqual(await defaultRoutes(member), [])
  const address = (await endpoints(outside))[outer]?.IPAddress ?? ''
  assert.deepEqual([await pings(member, other), await pings(member, address)], [true, false])
})

test('what cannot hold is refused in Docker’s words', async () => {
  const subnet = await network('--subnet', '10.213.9.0/24')
  const plain = await network()
  const container = await sleeper('--network', plain)
  const cases: [string[], RegExp][] = [
    [['network', 'create', subnet], /network with name \S+ already exists/],
    [['network', 'create', 'host'], /operation is not permitted on predefined host network/],
    [
      ['network', 'create', '--subnet', '10.213.9.0/25', engine.name()],
      /invalid pool request: Pool overlaps with other one on this address space/,
    ],
    [['network', 'create', '-d', 'absent', engine.name()], /plugin "absent" not found/],
    [['network', 'rm', 'bridge'], /bridge is a pre-defined network and cannot be removed/],
    [['network', 'inspect', 'absent-network'], /network absent-network not found/],
    [['network', 'connect', plain, container], /endpoint with name \S+ already exists in network/],
    [['network', 'connect', 'host', container], /cannot connect container to host network/],
    [['network', 'connect', 'none', container], /one of the networks in private \(none\) mode/],
    [['network', 'disconnect', subnet, container], /container [\da-f]{64} is not connected to network/],
    [
      ['network', 'connect', '--ip', '10.213.9.9', plain, await sleeper()],
      /user specified IP address is supported only when connecting to networks with user configured subnets/,
    ],
    [
      ['network', 'connect', '--ip', '10.1.1.1', subnet, container],
      /no configured subnet or ip-range contain the IP address 10.1.1.1/,
    ],
    [['network', 'ls', '--filter', 'dangling=x'], /invalid value for filter 'dangling'/],
    [['network', 'prune', '-f', '--filter', 'name=x'], /invalid filter 'name'/],
  ]
  for (const [args, message] of cases) assert.match(await docker.fails(...args), message, args.join(' '))
  assert.deepEqual(Object.keys(await endpoints(container)), [plain])
})

test('ls filters and ps filters find networks and who is in them', async () => {
  const name = await network('--label', `${label}=1`, '--attachable')
  const container = await sleeper('--network', name)
  const ls = (...filters: string[]) =>
    docker.ok('network', 'ls', ...filters.flatMap((filter) => ['--filter', filter]), '--format', '{{.Name}}')
  assert.equal(await ls(`label=${label}`), name)
  assert.equal(await ls(`label=${label}=2`), '')
  assert.equal(await ls(`name=${name}`, 'driver=bridge', 'scope=local', 'type=custom'), name)
  const id = await docker.ok('network', 'inspect', '-f', '{{.Id}}', name)
  assert.equal(await ls(`id=${id.slice(0, 20)}`), name)
  for (const filter of [name, id]) {
    assert.equal(await docker.ok('ps', '--filter', `network=${filter}`, '--format', '{{.Names}}'), container)
  }
  assert.equal(
    await docker.ok('network', 'inspect', '-f', '{{len .Containers}} {{.Attachable}}', id.slice(0, 12)),
    '1 true',
  )
})

test('the network that --network names by its id is shown by its name', async () => {
  const name = await network()
  const id = await docker.ok('network', 'inspect', '-f', '{{.Id}}', name)
  const container = await sleeper('--network', id, '--network-alias', 'x')
  const found = await endpoints(container)
  assert.deepEqual(Object.keys(found), [name])
  assert.deepEqual(found[name]?.DNSNames.slice(0, 2), [container, 'x'])
  const renamed = engine.name()
  await docker.ok('rename', container, renamed)
  assert.equal((await endpoints(renamed))[name]?.DNSNames[0], renamed)
  assert.equal(await pings(await sleeper('--network', name), renamed), true)
})

test('a container leaves its networks before it is told to have died: who waited may have its port at once', async () => {
  const [name, network] = [engine.name(), engine.name()]
  await docker.ok('network', 'create', network)
  const since = await docker.ok('info', '-f', '{{.SystemTime}}')
  const port = '127.0.0.1:18049:80'
  for (let round = 0; round < 5; round++) {
    await docker.ok('run', '-d', '--name', name, '--network', network, '-p', port, 'busybox', 'sleep', '0.05')
    await docker.ok('wait', name)
    await docker.ok('run', '--rm', '-p', port, 'busybox', 'true')
    await docker.ok('rm', name)
  }
  const until = await docker.ok('info', '-f', '{{.SystemTime}}')
  const format = '{{.Actor.Attributes.name}} {{.Action}}'
  const all = (await docker.ok('events', '--since', since, '--until', until, '--format', format)).split('\n')
  const own = all.filter((line) => line.startsWith(`${name} `) || line.startsWith(`${network} `))
  const round = ['create', 'connect', 'start', 'disconnect', 'die', 'destroy']
  assert.deepEqual(
    own.map((line) => line.split(' ')[1]),
    Array.from({ length: 5 }, () => round).flat(),
  )
  await docker.ok('network', 'rm', network)
})

test('a network’s life is told of by events: made, joined, left by force, taken away by prune', async () => {
  const [since, name] = [await docker.ok('info', '-f', '{{.SystemTime}}'), engine.name()]
  await docker.ok('network', 'create', '--label', `${label}=events`, name)
  const container = await sleeper('--network', name)
  const [id, member] = [await docker.ok('network', 'inspect', '-f', '{{.Id}}', name), await inspect(container, '.Id')]
  await docker.ok('network', 'disconnect', '-f', name, container)
  const prune = ['network', 'prune', '-f', '--filter', `label=${label}=events`]
  assert.equal(await docker.ok(...prune, '--filter', 'until=1h'), '')
  assert.equal(await docker.ok(...prune, '--filter', `label!=${label}`), '')
  assert.match(await docker.ok(...prune), new RegExp(`^Deleted Networks:\\n${name}$`))
  const until = await docker.ok('info', '-f', '{{.SystemTime}}')
  const format = '{{.Action}} {{.Actor.ID}} {{json .Actor.Attributes}}'
  const told = await docker.ok(
    'events',
    '--since',
    since,
    '--until',
    until,
    '--filter',
    `network=${name}`,
    '--format',
    format,
  )
  const [plain, joined] = [
    { name, type: 'bridge' },
    { container: member, name, type: 'bridge' },
  ]
  const expected = { create: plain, connect: joined, disconnect: joined, destroy: plain }
  assert.deepEqual(
    told.split('\n'),
    Object.entries(expected).map(([action, attributes]) => `${action} ${id} ${JSON.stringify(attributes)}`),
  )
})

test('host-gateway is the default bridge’s address, in every network mode', async () => {
  const gateway = await docker.ok('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Gateway}}', 'bridge')
  for (const mode of ['bridge', 'host', 'none', await network(), await network('--internal')]) {
    const options = [
      '--network',
      mode,
      '--add-host',
      'up:host-gateway',
      '--add-host',
      'six=[::1]',
      '--add-host',
      'v4:1.2.3.4',
    ]
    const hosts = await docker.ok('run', '--rm', ...options, 'busybox', 'cat', '/etc/hosts')
    const lines = hosts.split('\n').filter((line) => /\t(up|six|v4)$/.test(line))
    assert.deepEqual(lines, [`${gateway}\tup`, '::1\tsix', '1.2.3.4\tv4'], mode)
  }
})
