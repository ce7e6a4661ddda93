import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { before, test } from 'node:test'
import { Cli, requireSound, until, useEngine } from '@berth/testing'
import { onHost } from '../security/probe.ts'

const engine = useEngine()
let docker: Cli
before(() => {
  docker = new Cli('docker', engine)
})

const names = async (container: string): Promise<string[]> =>
  Object.keys(JSON.parse(await docker.ok('inspect', '-f', '{{json .NetworkSettings.Networks}}', container)) as object)

const pings = async (from: string, to: string): Promise<boolean> =>
  (await docker.run(['exec', from, 'ping', '-c1', '-W2', to])).code === 0

async function sleeper(network: string): Promise<string> {
  const name = engine.name()
  await docker.ok('run', '-d', '--name', name, '--network', network, 'busybox', 'sleep', '1000')
  return name
}

test('networks and the containers in them outlive an engine that is killed, and can be changed by the next', async () => {
  const { daemon } = engine
  if (!daemon) return
  for (const name of ['one', 'two']) await docker.ok('network', 'create', '--ipv6', name)
  const [first, second] = [await sleeper('one'), await sleeper('one')]
  await docker.ok('network', 'connect', 'two', first)
  const before = await docker.ok('network', 'inspect', 'one', 'two')
  await daemon.kill('SIGKILL')
  await daemon.start()
  assert.equal(await docker.ok('network', 'inspect', 'one', 'two'), before)
  assert.equal(await pings(first, second), true)
  await docker.ok('network', 'disconnect', 'one', first)
  await docker.ok('network', 'connect', 'two', second)
  assert.deepEqual([await names(first), await pings(first, second)], [['two'], true])
  const third = await sleeper('two')
  assert.deepEqual([await pings(third, first), await pings(second, third)], [true, true])
  await docker.ok('rm', '-f', first, second, third)
  await docker.ok('network', 'rm', 'one', 'two')
})

for (const point of ['connect: noted', 'connect: linked', 'disconnect: noted', 'disconnect: unlinked']) {
  test(`an engine that dies at "${point}" leaves records and kernel of one mind`, async () => {
    const { daemon } = engine
    if (!daemon) return
    await docker.ok('network', 'create', 'mid')
    await docker.ok('network', 'create', 'base')
    const container = await sleeper('base')
    if (point.startsWith('disconnect')) await docker.ok('network', 'connect', 'mid', container)
    await daemon.kill('SIGTERM')
    await daemon.start({ BERTH_FAULT: point })
    const action = point.startsWith('connect') ? 'connect' : 'disconnect'
    await docker.fails('network', action, 'mid', container)
    await daemon.ended()
    await daemon.start()
    await requireSound(daemon)
    assert.deepEqual(await names(container), ['base'])
    // The loopback and one more.
    await docker.ok('exec', container, 'sh', '-c', 'test $(ip -o link | wc -l) = 2')
    await docker.ok('network', 'connect', 'mid', container)
    await docker.ok('restart', '-t', '0', container)
    assert.deepEqual((await names(container)).toSorted(), ['base', 'mid'])
    await docker.ok('rm', '-f', container)
    await docker.ok('network', 'rm', 'mid', 'base')
  })
}

for (const point of [
  'network create: noted',
  'network create: made',
  'network remove: noted',
  'network remove: unmade',
]) {
  test(`an engine that dies at "${point}" leaves no half a network`, async () => {
    const { daemon } = engine
    if (!daemon) return
    if (point.includes('remove')) await docker.ok('network', 'create', 'half')
    await daemon.kill('SIGTERM')
    await daemon.start({ BERTH_FAULT: point })
    await docker.fails('network', point.includes('create') ? 'create' : 'rm', 'half')
    await daemon.ended()
    await daemon.start()
    await requireSound(daemon)
    assert.equal(await docker.ok('network', 'ls', '--filter', 'name=half', '-q'), '')
    await docker.ok('network', 'create', 'half')
    await docker.ok('run', '--rm', '--network', 'half', 'busybox', 'true')
    await docker.ok('network', 'rm', 'half')
  })
}

/** Asks without a pause, and prints for each question how long its answer took, in hundredths of a second, and what came. */
const asking = `now() { cut -d' ' -f1 /proc/uptime | tr -d .; }
while true; do start=$(now); answer=$(nslookup one 127.0.0.11 > /dev/null 2>&1 && echo answered || echo lost)
echo $(($(now) - start)) $answer; done`

test('names are answered within a second of the death of an engine that is started again, and no question is lost', async () => {
  const { daemon } = engine
  if (!daemon) return
  await docker.ok('network', 'create', 'names')
  const [one, asker] = [engine.name(), engine.name()]
  await docker.ok(
    'run',
    '-d',
    '--name',
    one,
    '--network',
    'names',
    '--network-alias',
    'one',
    'busybox',
    'sleep',
    '1000',
  )
  await docker.ok('run', '-d', '--name', asker, '--network', 'names', 'busybox', 'sh', '-c', asking)
  await until(async () => (await docker.ok('logs', asker)).includes('answered'))
  const killed = performance.now()
  await daemon.kill('SIGKILL')
  await daemon.start()
  const downMs = performance.now() - killed
  await until(async () => (await docker.ok('logs', '--tail', '3', asker)).split('\n').length === 3)
  await docker.ok('stop', '-t', '0', asker)
  const answers = (await docker.ok('logs', asker)).split('\n')
  assert.deepEqual(
    answers.filter((line) => !line.endsWith('answered')),
    [],
  )
  const slowest = Math.max(...answers.map((line) => Number(line.split(' ')[0]) * 10))
  // A machine that is busy takes longer to start anything at all.
  assert.ok(slowest < Math.max(1000, downMs), `${slowest} ms for an answer, ${Math.round(downMs)} for the engine`)
  await docker.ok('rm', '-f', one, asker)
  await docker.ok('network', 'rm', 'names')
})

/** Some 40 MB, over four seconds at least. */
const numbers = 'for i in $(busybox seq 60); do busybox seq 100000; busybox usleep 70000; done'

test('relayed connections go on with the next engine, and lose no byte when one is killed', async () => {
  const { daemon } = engine
  if (!daemon) return
  const serve = ['busybox', 'nc', '-ll', '-p', '80', '-e', 'sh', '-c']
  const [up, down] = [engine.name(), engine.name()]
  await docker.ok('run', '-d', '--name', up, '-p', '[::1]:18091:80', ...serve, 'md5sum')
  await docker.ok('run', '-d', '--name', down, '-p', '[::1]:18092:80', ...serve, numbers)
  const [uploaded, downloaded, expected] = [
    onHost(engine, 'sh', '-c', `(${numbers}) | busybox nc ::1 18091`),
    onHost(engine, 'sh', '-c', 'busybox nc ::1 18092 < /dev/null | busybox md5sum'),
    onHost(engine, 'sh', '-c', `(${numbers}) | busybox md5sum`),
  ]
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
    await delay(300)
    await daemon.kill(signal)
    await daemon.start()
  }
  assert.deepEqual(await Promise.all([uploaded, downloaded]), [await expected, await expected])
  // Those that nobody needs any more are closed everywhere.
  await docker.ok('rm', '-f', up, down)
  assert.match(await onHost(engine, 'sh', '-c', 'busybox nc -w 1 ::1 18091 < /dev/null; echo $?'), /1$/)
})
