// What a container, and a neighbour on a network of the host, can reach of the host.
import { Cli, connectNeighbour, type Neighbour, until, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { onHost } from './probe.ts'

const apiPort = 12375
const engine = useEngine({ args: ['-H', `tcp://127.0.0.1:${apiPort}`] })
const cli = new Cli('docker', engine)

let neighbour: Neighbour | undefined
after(async () => {
  await neighbour?.[Symbol.asyncDispose]()
})

const server = ['busybox', 'nc', '-ll', '-p', '80', '-e', 'echo', 'inside']

test('a port published on 127.0.0.1 is the host’s alone, one that is not published nobody’s', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s host')
  const other = (neighbour = await connectNeighbour(engine.daemon.sandbox))
  const id = await cli.ok('run', '-d', '-p', '127.0.0.1:18080:80', ...server)
  const open = await cli.ok('run', '-d', '-p', '18081:80', ...server)
  const address = await cli.ok('inspect', '-f', '{{.NetworkSettings.IPAddress}}', id)
  await until(
    async () => (await onHost(engine, 'sh', '-c', 'busybox nc -w 1 127.0.0.1 18080 < /dev/null; true')) === 'inside',
  )
  await until(async () => (await other.ask('192.0.2.1', 18081)) === 'inside')
  assert.equal(await other.ask('192.0.2.1', 18080), '')
  assert.equal(await other.ask(address, 80), '', 'by a route to the container’s network')
  await other.run(
    'sh',
    '-c',
    'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet; ip address del 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via 192.0.2.1 src 192.0.2.2',
  )
  assert.equal(await other.ask('127.0.0.1', 18080), '', 'by a packet to 127.0.0.1 on the wire')
  assert.equal(await other.ask('127.0.0.1', apiPort), '')
  await onHost(engine, 'nft', 'flush', 'ruleset')
  assert.equal(await other.ask('127.0.0.1', 18080), '', 'while the firewall is being reloaded')
  assert.equal(await other.ask('192.0.2.1', 18080), '')
  await cli.ok('rm', '-f', id, open)
})

test('no network reaches the engine’s API, not even with forged packets', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s host')
  await engine.daemon.kill('SIGTERM')
  await engine.daemon.start() // with its rules again
  const request = (host: string) => `printf 'GET /_ping HTTP/1.0\\r\\n\\r\\n' | nc -w 1 ${host} ${apiPort}`
  const gateway = await onHost(engine, 'sh', '-c', "ip -4 -o address show berth0 | awk '{print $4}' | cut -d/ -f1")
  assert.match(
    await onHost(engine, 'sh', '-c', `printf 'GET /_ping HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 1 127.0.0.1 ${apiPort}`),
    /OK$/,
  )
  const forging = ['--cap-add', 'NET_ADMIN', '--sysctl', 'net.ipv4.conf.all.route_localnet=1']
  const script = `${request(gateway)}; ${request('192.0.2.1')}; ${request('127.0.0.1')}
    ip address del 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via ${gateway}; ${request('127.0.0.1')}; true`
  for (const options of [[], forging, ['--net', 'none']]) {
    const { stdout } = await cli.run(['run', '--rm', ...options, 'busybox', 'sh', '-c', script])
    assert.equal(stdout, '', options.join(' '))
  }
})

test('the engine listens on no port of its own accord', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s host')
  const listening = await onHost(engine, 'sh', '-c', 'cat /proc/net/tcp /proc/net/tcp6 | awk \'$4 == "0A" {print $2}\'')
  assert.equal(listening, `0100007F:${apiPort.toString(16).toUpperCase()}`)
})

test('an IPv4 network has no IPv6: in the container, on its bridge, for router advertisements', async (t) => {
  const settings =
    'for i in eth0 default; do cat /proc/sys/net/ipv6/conf/$i/disable_ipv6; done; ip -6 address show dev eth0; ip -6 route | grep -v lo; true'
  assert.match(await cli.ok('run', '--rm', 'busybox', 'sh', '-c', settings), /^1\n[01]$/)
  if (!engine.daemon) return t.skip('another engine’s host')
  const bridge = '/proc/sys/net/ipv6/conf/berth0'
  assert.equal(await onHost(engine, 'cat', `${bridge}/disable_ipv6`, `${bridge}/accept_ra`), '1\n0')
  assert.equal(await onHost(engine, 'ip', '-6', 'address', 'show', 'dev', 'berth0'), '')
})
