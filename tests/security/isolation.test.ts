// What containers can do to each other and to other hosts, with frames that a container with NET_RAW could make.
import { Cli, command, connectNeighbour, type Neighbour, neighbourhood, until, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { onHost } from './probe.ts'

const engine = useEngine()
const cli = new Cli('docker', engine)
const frames = fileURLToPath(new URL('frames.py', import.meta.url))

let neighbour: Neighbour | undefined
after(async () => {
  await neighbour?.[Symbol.asyncDispose]()
})

interface Host {
  readonly id: string
  readonly pid: string
  readonly ipv4: string
  readonly ipv6: string
  readonly mac: string
}

async function start(network: string, ...options: string[]): Promise<Host> {
  const server = ['busybox', 'sh', '-c', 'for p in 80 81; do nc -ll -p $p -e echo inside & done; wait']
  const id = await cli.ok('run', '-d', '--network', network, ...options, ...server)
  const own = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}} {{.MacAddress}}{{end}}'
  const shown = await cli.ok('inspect', '-f', `{{.State.Pid}} ${own}`, id)
  const [pid = '', ipv4 = '', ipv6 = '', mac = ''] = shown.split(' ')
  return { id, pid, ipv4, ipv6, mac }
}

const inNetwork = ({ pid }: Host, ...argv: string[]): string[] => [`--net=/proc/${pid}/ns/net`, ...argv]

/** What comes to a container's link while `work` is done. */
async function heardBy(host: Host, work: () => Promise<void>): Promise<string[]> {
  const listener = spawn('nsenter', inNetwork(host, 'python3', frames, 'listen'), { stdio: 'pipe' })
  const output = text(listener.stdout)
  await once(listener.stdout, 'data')
  await work()
  listener.stdin.end()
  return (await output).trim().split('\n').slice(1)
}

async function send(host: Host, kind: string, options: Record<string, string>): Promise<void> {
  const args = Object.entries(options).map(([key, value]) => `${key}=${value}`)
  const { code, stderr } = await command('nsenter', inNetwork(host, 'python3', frames, 'send', kind, ...args))
  assert.equal(code, 0, stderr)
}

const routerAddress = 'fe80::42:1'
const reaches = async (from: Host, address: string, port: number): Promise<boolean> =>
  (await cli.run(['exec', from.id, 'sh', '-c', `nc -w 1 ${address} ${port} < /dev/null`])).stdout.trim() === 'inside'

test('a container sends under its own addresses only: IPv4, IPv6, MAC, ARP, neighbour and router advertisements', async () => {
  await cli.ok('network', 'create', '--ipv6', 'lan')
  const gateways = await cli.ok('network', 'inspect', '-f', '{{range .IPAM.Config}}{{.Gateway}} {{end}}', 'lan')
  const [gateway4 = '', gateway6 = ''] = gateways.split(' ')
  const [forger, victim] = [await start('lan'), await start('lan')]
  const frame = { from: forger.mac, to: victim.mac }
  const heard = await heardBy(victim, async () => {
    const udp4 = { ...frame, source: forger.ipv4, target: victim.ipv4 }
    const udp6 = { ...frame, source: forger.ipv6, target: victim.ipv6 }
    await send(forger, 'udp', { ...udp4, source: gateway4, mark: 'gateway4' })
    await send(forger, 'udp', { ...udp4, source: '198.51.100.1', mark: 'foreign4' })
    await send(forger, 'udp', { ...udp4, from: '02:00:00:00:00:99', mark: 'mac' })
    await send(forger, 'udp', { ...udp6, source: gateway6, mark: 'gateway6' })
    await send(forger, 'udp', { ...udp6, source: '2001:db8::99', mark: 'foreign6' })
    await send(forger, 'arp', { ...udp4, source: gateway4 })
    await send(forger, 'advertisement', { ...udp6, of: gateway6 })
    await send(forger, 'router', { ...udp6, source: routerAddress })
    // What it may: last, so that all of the above would have come before.
    await send(forger, 'arp', udp4)
    await send(forger, 'advertisement', { ...udp6, of: forger.ipv6 })
    await send(forger, 'udp', { ...udp6, mark: 'own6' })
    await send(forger, 'udp', { ...udp4, mark: 'own4' })
  })
  const wanted = ['udp own4', 'udp own6', `arp ${forger.ipv4}`, `advertisement ${forger.ipv6}`]
  const forged = heard.filter(
    (line) => line.startsWith('udp') || line.startsWith('router') || line.endsWith(forger.mac),
  )
  assert.deepEqual([...new Set(forged)].toSorted(), wanted.map((line) => `${line} by ${forger.mac}`).toSorted())
  const { stdout } = await command('nsenter', inNetwork(victim, 'ip', 'neighbour', 'show', gateway4))
  assert.doesNotMatch(stdout, new RegExp(forger.mac))
  assert.equal((await command('nsenter', inNetwork(victim, 'ip', '-6', 'route', 'show', 'proto', 'ra'))).stdout, '')
  await cli.ok('rm', '-f', forger.id, victim.id)
  await cli.ok('network', 'rm', 'lan')
})

test('networks do not reach each other, but by what is published; an internal one reaches nothing', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s host')
  const other = (neighbour ??= await connectNeighbour(engine.daemon.sandbox))
  for (const name of ['one', 'two']) await cli.ok('network', 'create', '--ipv6', name)
  await cli.ok('network', 'create', '--ipv6', '--internal', 'inner')
  const one = await start('one')
  const two = await start('two', '-p', '18050:80')
  const [inner, beside] = [await start('inner'), await start('inner')]
  await until(() => reaches(inner, beside.ipv4, 80))
  assert.equal(await reaches(inner, beside.ipv6, 80), true)
  await until(() => reaches(one, neighbourhood.host, 18050))
  for (const [from, to, port] of [
    [one, two.ipv4, 80],
    [one, two.ipv6, 80],
    [one, inner.ipv4, 80],
    [inner, one.ipv4, 80],
    [inner, one.ipv6, 80],
    [inner, neighbourhood.host, 18050],
  ] as const) {
    assert.equal(await reaches(from, to, port), false, `${to}:${port}`)
  }
  const ping = async (from: Host) =>
    (await cli.run(['exec', from.id, 'ping', '-c1', '-W1', neighbourhood.neighbour])).code
  assert.deepEqual([await ping(one), await ping(inner)], [0, 1])
  for (const address of [inner.ipv4, `${inner.ipv6}`]) assert.equal(await other.ask(address, 80), '', address)
  await cli.ok('rm', '-f', one.id, two.id, inner.id, beside.id)
  await cli.ok('network', 'rm', 'one', 'two', 'inner')
})

test('with icc=false containers of a network meet by published ports only', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s host')
  neighbour ??= await connectNeighbour(engine.daemon.sandbox)
  await cli.ok('network', 'create', '--ipv6', '-o', 'com.docker.network.bridge.enable_icc=false', 'apart')
  const [one, two] = [await start('apart'), await start('apart', '-p', '18051:80')]
  await until(() => reaches(one, neighbourhood.host, 18051))
  assert.deepEqual([await reaches(one, two.ipv4, 80), await reaches(one, two.ipv6, 80)], [false, false])
  await cli.ok('rm', '-f', one.id, two.id)
  await cli.ok('network', 'rm', 'apart')
})

test('gateway modes: routed opens published ports at own addresses, nat-unprotected all, isolated keeps the host out', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s host')
  const other = (neighbour ??= await connectNeighbour(engine.daemon.sandbox))
  const modes = (mode: string) =>
    ['4', '6'].flatMap((family) => ['-o', `com.docker.network.bridge.gateway_mode_ipv${family}=${mode}`])
  await cli.ok('network', 'create', '--ipv6', ...modes('routed'), 'routed')
  await cli.ok('network', 'create', '--ipv6', ...modes('nat-unprotected'), 'open')
  await cli.ok('network', 'create', '--ipv6', '--internal', ...modes('isolated'), 'isolated')
  const routed = await start('routed', '-p', '80')
  const open = await start('open')
  for (const address of [routed.ipv4, routed.ipv6, open.ipv4, open.ipv6]) {
    await until(async () => (await other.ask(address, 80)) === 'inside')
  }
  for (const address of [routed.ipv4, routed.ipv6]) assert.equal(await other.ask(address, 81), '', address)
  assert.equal(await other.ask(open.ipv4, 81), 'inside')
  const [one, two] = [await start('isolated'), await start('isolated')]
  await until(() => reaches(one, two.ipv4, 80))
  assert.equal(await reaches(one, two.ipv6, 80), true)
  const bridge = await cli.ok('network', 'inspect', '-f', '{{.Id}}', 'isolated')
  assert.equal(await onHost(engine, 'ip', '-4', 'address', 'show', 'dev', `br-${bridge.slice(0, 12)}`), '')
  await cli.ok('rm', '-f', routed.id, open.id, one.id, two.id)
  await cli.ok('network', 'rm', 'routed', 'open', 'isolated')
})

test('SCTP is published by translation, also where the host’s kernel has no sockets for it', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s host')
  const other = (neighbour ??= await connectNeighbour(engine.daemon.sandbox))
  const one = await start('bridge', '-p', '18052:3868/sctp')
  assert.equal(await cli.ok('port', one.id, '3868/sctp'), '0.0.0.0:18052')
  await other.run('ping', '-c1', '-W1', neighbourhood.host)
  const [, to = ''] = /lladdr ([0-9a-f:]+)/.exec(await other.run('ip', 'neighbour', 'show', neighbourhood.host)) ?? []
  const [, from = ''] = /link\/ether ([0-9a-f:]+)/.exec(await other.run('ip', 'link', 'show', 'in0')) ?? []
  const heard = await heardBy(one, async () => {
    const options = {
      link: 'in0',
      from,
      to,
      source: neighbourhood.neighbour,
      target: neighbourhood.host,
      port: '18052',
    }
    const args = Object.entries(options).map(([key, value]) => `${key}=${value}`)
    assert.equal(await other.run('python3', frames, 'send', 'sctp', ...args), '')
  })
  assert.ok(
    heard.some((line) => line.startsWith('sctp 3868 ')),
    heard.join(),
  )
  await cli.ok('rm', '-f', one.id)
})
