// Names and published ports as docker's users meet them, over restarts of the engine.
import { Cli, until, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { onHost } from '../security/probe.ts'

const engine = useEngine()
const cli = new Cli('docker', engine)
const ok = (...args: string[]) => cli.ok(...args)
const ask = (host: string, port: number): string[] => ['busybox', 'nc', '-w', '2', host, String(port)]
const server = ['busybox', 'nc', '-ll', '-p', '80', '-e', 'echo', 'inside']

const network = engine.name()

const addressOf = (container: string) =>
  ok('inspect', '-f', `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, container)

test('containers of a network ping each other by name, alias, short id and link, and stop when they leave', async () => {
  await ok('network', 'create', network)
  const [db, web] = [engine.name(), engine.name()]
  const id = await ok(
    'run',
    '-d',
    '--name',
    db,
    '--network',
    network,
    '--network-alias',
    'database',
    'busybox',
    'sleep',
    '600',
  )
  await ok('run', '-d', '--name', web, '--network', network, '--link', `${db}:store`, 'busybox', 'sleep', '600')
  const address = await addressOf(db)
  for (const name of [db, 'database', id.slice(0, 12), 'store', `${db}.${network}`])
    assert.match(await ok('exec', web, 'ping', '-c', '1', '-w', '3', name), new RegExp(`\\(${address}\\)`), name)
  assert.match(await ok('exec', web, 'nslookup', address), new RegExp(`name = ${db}\\.${network}`))
  await ok('network', 'disconnect', network, db)
  assert.notEqual((await cli.run(['exec', web, 'ping', '-c', '1', '-w', '3', 'database'])).code, 0)
  await ok('network', 'connect', '--alias', 'again', network, db)
  assert.match(await ok('exec', web, 'ping', '-c', '1', '-w', '3', 'again'), /1 packets received/)
  await ok('rm', '-f', db, web)
})

test('names are answered while the engine is being restarted or killed', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s process')
  const [db, web] = [engine.name(), engine.name()]
  await ok('run', '-d', '--name', db, '--network', network, 'busybox', 'sleep', '600')
  await ok('run', '-d', '--name', web, '--network', network, '--dns-opt', 'timeout:30', '-p', '18080:80', ...server)
  const address = await addressOf(db)
  // Asks all the time; with patience, since a machine under load takes its time to start an engine.
  const script = `while [ ! -e /tmp/stop ]; do nslookup -type=a ${db} | grep -q ${address} && echo found || echo lost; done`
  await ok('exec', '-d', web, 'sh', '-c', `(${script}) > /tmp/answers`)
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await engine.daemon.kill(signal)
    const early = onHost(engine, ...ask('::1', 18080))
    await engine.daemon.start()
    assert.equal(await early, 'inside', `a connection made while no engine ran (${signal})`)
    assert.equal(await onHost(engine, ...ask('127.0.0.1', 18080)), 'inside')
  }
  await ok('exec', web, 'touch', '/tmp/stop')
  const answers = (await ok('exec', web, 'cat', '/tmp/answers')).split('\n')
  assert.ok(answers.includes('found') && !answers.includes('lost'), answers.join(' '))
  await ok('rm', '-f', db, web)
})

test('a port is published on both families and shown so by run, port, ps and inspect', async () => {
  const name = engine.name()
  await ok(
    'run',
    '-d',
    '--name',
    name,
    '--network',
    network,
    '-p',
    '18081:80',
    '-p',
    '127.0.0.1:18082:80',
    '-p',
    '18083:81/udp',
    ...server,
  )
  assert.equal(
    await ok('port', name),
    '80/tcp -> 0.0.0.0:18081\n80/tcp -> 127.0.0.1:18082\n80/tcp -> [::]:18081\n81/udp -> 0.0.0.0:18083\n81/udp -> [::]:18083',
  )
  assert.equal(await ok('port', name, '80'), '0.0.0.0:18081\n127.0.0.1:18082\n[::]:18081')
  assert.equal(
    await ok('ps', '--filter', `name=${name}`, '--format', '{{.Ports}}'),
    '0.0.0.0:18081->80/tcp, 127.0.0.1:18082->80/tcp, [::]:18081->80/tcp, 0.0.0.0:18083->81/udp, [::]:18083->81/udp',
  )
  if (engine.daemon) {
    const gateway = await ok('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Gateway}}', network)
    for (const host of ['127.0.0.1', '::1', gateway])
      assert.equal(await onHost(engine, ...ask(host, 18081)), 'inside', host)
    assert.equal(await onHost(engine, ...ask('127.0.0.1', 18082)), 'inside')
    // Hairpin: by the host's address, from itself and from a container on another network.
    assert.equal(await ok('exec', name, 'sh', '-c', `nc -w 2 ${gateway} 18081`), 'inside')
    assert.equal(await ok('run', '--rm', 'busybox', 'sh', '-c', `nc -w 2 ${gateway} 18081`), 'inside')
    assert.equal(
      (await cli.run(['run', '--rm', 'busybox', 'sh', '-c', `nc -w 1 ${await addressOf(name)} 80`])).stdout,
      '',
    )
  }
  await ok('rm', '-f', name)
})

test('a port that is taken refuses the start in Docker’s words, and nothing of it stays', async () => {
  const [first, second] = [engine.name(), engine.name()]
  await ok('run', '-d', '--name', first, '-p', '18084:80', 'busybox', 'sleep', '600')
  const { code, stderr } = await cli.run([
    'run',
    '-d',
    '--name',
    second,
    '--restart',
    'always',
    '-p',
    '18084:80',
    'busybox',
    'true',
  ])
  assert.equal(code, 125)
  assert.match(
    stderr,
    /failed to set up container networking: driver failed programming external connectivity on endpoint \S+ \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:18084 failed: port is already allocated/,
  )
  assert.equal(await ok('inspect', '-f', '{{.State.Status}}', second), 'created')
  await ok('rm', '-f', first)
  await ok('start', second)
  await ok('rm', '-f', second)
})

test('--dns, --dns-search and --dns-opt reach resolv.conf and the engine’s DNS', async () => {
  const options = ['--dns', '127.0.0.1', '--dns-search', 'example.org', '--dns-opt', 'timeout:1']
  const conf = await ok('run', '--rm', '--network', network, ...options, 'busybox', 'cat', '/etc/resolv.conf')
  assert.match(conf, /^nameserver 127\.0\.0\.11\nsearch example\.org\noptions timeout:1 ndots:0$/m)
  assert.match(conf, /^# ExtServers: \[127\.0\.0\.1\]$/m)
})

test('an internal network asks nobody outside for names, and reaches nothing there', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s host')
  const internal = engine.name()
  await ok('network', 'create', '--internal', internal)
  await using upstream = await outsideServer()
  const script = 'nslookup -type=a secret.example.org; ping -c 1 -w 1 192.0.2.1; true'
  const run = (net: string) =>
    cli.run(['run', '--rm', '--network', net, '--dns', upstream.address, 'busybox', 'sh', '-c', script])
  assert.match((await run(internal)).stdout, /SERVFAIL/)
  assert.equal(upstream.asked(), '')
  await run(network)
  await until(() => upstream.asked() !== '')
  await ok('network', 'rm', internal, network)
})

/** A host outside that counts what it is asked. */
async function outsideServer() {
  const { sandbox } = engine.daemon!
  await onHost(engine, 'ip', 'address', 'add', '192.0.2.1/32', 'dev', 'lo')
  const program = `require('dgram').createSocket('udp4').on('message', (m) => console.log(m.toString('latin1'))).bind(53, '192.0.2.1', () => console.error('ready'))`
  const { file, args, env } = sandbox.enter([process.execPath, '-e', program])
  const child = spawn(file, args, { env: env as Record<string, string>, stdio: ['ignore', 'pipe', 'pipe'] })
  await once(child.stderr, 'data')
  let asked = ''
  child.stdout.setEncoding('latin1').on('data', (data: string) => (asked += data))
  return {
    address: '192.0.2.1',
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    },
  }
}
