// dockerd's options for networks, by daemon.json and by flags, with what containers see of them.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Cli, connectNeighbour, type Neighbour, runInside, until, useEngine } from '@berth/testing'

const apiPort = 12399
const settings = {
  bridge: 'own0',
  bip: '10.200.0.1/24',
  'fixed-cidr': '10.200.0.128/25',
  'default-gateway': '10.200.0.254',
  ipv6: true,
  bip6: 'fd00:200::1/64',
  'fixed-cidr-v6': 'fd00:200::a:0/112',
  mtu: 1400,
  icc: false,
  ip: '127.0.0.1',
  dns: ['192.0.2.53'],
  'dns-opts': ['ndots:3'],
  'dns-search': ['example.test'],
  'host-gateway-ip': '192.0.2.200',
  'default-address-pools': [{ base: '10.201.0.0/16', size: 28 }],
  'default-network-opts': { bridge: { 'com.docker.network.driver.mtu': '1300' } },
}

function configuration(folder: string): string[] {
  const path = join(folder, 'daemon.json')
  writeFileSync(path, JSON.stringify(settings))
  return ['--config-file', path, '-H', `tcp://0.0.0.0:${apiPort}`, '--allow-direct-routing']
}

const engine = useEngine({ argsIn: configuration })
const cli = new Cli('docker', engine)
let neighbour: Neighbour | undefined
after(async () => {
  await neighbour?.[Symbol.asyncDispose]()
})

const inspected = async (id: string, format: string): Promise<string> => await cli.ok('inspect', '-f', format, id)
const server = ['busybox', 'sh', '-c', 'for p in 80 81; do nc -ll -p $p -e echo inside & done; wait']

test('the default bridge is as the configuration says: name, addresses, ranges, gateway, MTU', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s configuration')
  const script = 'ip -o address show eth0; ip route; cat /sys/class/net/eth0/mtu'
  const seen = await cli.ok('run', '--rm', 'busybox', 'sh', '-c', script)
  assert.match(seen, /inet 10\.200\.0\.(12[89]|1[3-9]\d)\/24/)
  assert.match(seen, /inet6 fd00:200::a:\d\/64/)
  assert.match(seen, /default via 10\.200\.0\.254 /)
  assert.match(seen, /\n1400$/)
  const bridge = await runInside(engine.daemon.sandbox, 'ip', '-o', 'address', 'show', 'own0')
  assert.match(bridge, /inet 10\.200\.0\.1\/24/)
  assert.match(bridge, /inet6 fd00:200::1\/64/)
  const options = JSON.parse(await cli.ok('network', 'inspect', '-f', '{{json .Options}}', 'bridge')) as object
  assert.deepEqual(
    Object.entries(options).filter(([name]) => /icc|host_binding|bridge\.name/.test(name)),
    [
      ['com.docker.network.bridge.enable_icc', 'false'],
      ['com.docker.network.bridge.host_binding_ipv4', '127.0.0.1'],
      ['com.docker.network.bridge.name', 'own0'],
    ],
  )
})

test('containers get the configured resolvers and host-gateway, unless they say otherwise', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s configuration')
  const show = ['busybox', 'cat', '/etc/resolv.conf', '/etc/hosts']
  const seen = await cli.ok('run', '--rm', '--add-host', 'host:host-gateway', ...show)
  for (const line of ['nameserver 192.0.2.53', 'options ndots:3', 'search example.test', '192.0.2.200\thost']) {
    assert.ok(seen.split('\n').includes(line), line)
  }
  const own = await cli.ok('run', '--rm', '--dns', '192.0.2.54', '--dns-search', '.', ...show)
  assert.match(own, /nameserver 192\.0\.2\.54/)
  assert.doesNotMatch(own, /192\.0\.2\.53|example\.test/)
})

test('networks take their subnet from the configured pool and the driver’s options as defaults', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s configuration')
  const format = '{{(index .IPAM.Config 0).Subnet}} {{json .Options}}'
  for (const [name, args, wanted] of [
    ['pooled', [], /^10\.201\.0\.0\/28 \{"com.docker.network.driver.mtu":"1300"\}$/],
    [
      'said',
      ['-o', 'com.docker.network.driver.mtu=1200'],
      /^10\.201\.0\.16\/28 \{"com.docker.network.driver.mtu":"1200"\}$/,
    ],
  ] as const) {
    await cli.ok('network', 'create', ...args, name)
    assert.match(await cli.ok('network', 'inspect', '-f', format, name), wanted)
  }
  assert.match(await cli.ok('info', '-f', '{{json .DefaultAddressPools}}'), /"Base":"10.201.0.0\/16","Size":28/)
  await cli.ok('network', 'rm', 'pooled', 'said')
})

test('ports without an address go to the configured one; with --allow-direct-routing published ones are reached directly', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s configuration')
  const { sandbox } = engine.daemon
  const id = await cli.ok('run', '-d', '--network', 'bridge', '-p', '18070:80', ...server)
  assert.equal(await cli.ok('port', id), '80/tcp -> 127.0.0.1:18070')
  const other = (neighbour ??= await connectNeighbour(sandbox))
  await other.run('ip', 'route', 'add', '10.200.0.0/24', 'via', '192.0.2.1')
  // The container's answers go by its configured gateway, which is nobody here.
  await runInside(sandbox, 'ip', 'address', 'add', '10.200.0.254/32', 'dev', 'own0')
  const address = await inspected(id, '{{.NetworkSettings.IPAddress}}')
  await until(async () => (await other.ask(address, 80)) === 'inside')
  assert.equal(await other.ask(address, 81), '', 'a port that is not published')
  assert.equal(await other.ask('192.0.2.1', 18070), '')
  await cli.ok('rm', '-f', id)
})

test('with --icc=false containers of the default bridge reach each other by no port', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s configuration')
  const id = await cli.ok('run', '-d', ...server)
  for (const address of await addressesOf(id)) {
    const { stdout } = await cli.run(['run', '--rm', 'busybox', 'nc', '-w', '1', address, '80'])
    assert.equal(stdout, '', address)
  }
  await cli.ok('rm', '-f', id)
})

const addressesOf = async (id: string): Promise<string[]> =>
  (await inspected(id, '{{.NetworkSettings.IPAddress}} {{.NetworkSettings.GlobalIPv6Address}}')).split(' ')

test('an API on all addresses is reached by other hosts, and from no container of any network', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s configuration')
  const other = (neighbour ??= await connectNeighbour(engine.daemon.sandbox))
  const ask = (host: string) => `printf 'GET /_ping HTTP/1.0\\r\\n\\r\\n' | nc -w 1 ${host} ${apiPort}`
  assert.match(await other.run('sh', '-c', `busybox ${ask('192.0.2.1').replace('| ', '| busybox ')}`), /OK$/)
  await cli.ok('network', 'create', '--ipv6', 'users')
  await cli.ok('network', 'create', '--internal', 'inner')
  for (const network of ['bridge', 'users', 'inner']) {
    const hosts = '$(ip route | sed -n "s/default via \\([^ ]*\\).*/\\1/p") 10.200.0.1 192.0.2.1 10.201.0.1 10.201.0.17'
    const script = `for h in ${hosts} fd00:200::1 2001:db8:2::1; do ${ask('$h')}; done; true`
    const { stdout } = await cli.run(['run', '--rm', '--network', network, 'busybox', 'sh', '-c', script])
    assert.equal(stdout, '', network)
  }
  await cli.ok('network', 'rm', 'users', 'inner')
})
