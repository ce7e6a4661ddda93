import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cli, until } from '@berth/testing'

/** Containers from create to rm: transitions, restart policies, health, listing. */
export function testLifecycle(cli: Cli): void {
  const { engine } = cli
  const inspect = (name: string, format: string) => cli.ok('inspect', '-f', format, name)
  const sleeper = async (...options: string[]): Promise<string> => {
    const name = engine.name()
    await cli.ok('run', '-d', '--name', name, ...options, 'busybox', 'sleep', '1000')
    return name
  }

  test('create, start, stop, start and rm move a container through its states', async () => {
    const name = engine.name()
    await cli.ok('create', '--name', name, '--stop-signal', 'KILL', 'busybox', 'sleep', '1000')
    const status = () => inspect(name, '{{.State.Status}}')
    assert.equal(await status(), 'created')
    assert.equal(await cli.ok('start', name), name)
    assert.equal(await status(), 'running')
    assert.equal(await cli.ok('stop', name), name)
    assert.equal(await inspect(name, '{{.State.Status}} {{.State.ExitCode}}'), 'exited 137')
    await cli.ok('start', name)
    await cli.ok('restart', '-t', '0', name)
    assert.equal(await status(), 'running')
    assert.match(
      await cli.fails('rm', name),
      /container is running: stop the container before removing or force remove/,
    )
    await cli.ok('rm', '-f', name)
    assert.match(await cli.fails('inspect', name), /no such object: /i)
  })

  test('stop sends the stop signal, and SIGKILL after the timeout', async () => {
    const name = engine.name()
    const trap = 'trap "echo caught; exit 5" INT; echo up; while true; do sleep 0.1; done'
    await cli.ok('run', '-d', '--name', name, '--stop-signal', 'INT', 'busybox', 'sh', '-c', trap)
    await until(async () => (await cli.ok('logs', name)).includes('up'))
    await cli.ok('stop', name)
    assert.equal(await inspect(name, '{{.State.ExitCode}}'), '5')
    assert.match(await cli.ok('logs', name), /caught/)
    const deaf = await sleeper()
    const began = performance.now()
    await cli.ok('stop', '-t', '1', deaf)
    const elapsed = performance.now() - began
    assert.ok(elapsed > 900 && elapsed < 5000, `${elapsed} ms`)
    assert.equal(await inspect(deaf, '{{.State.ExitCode}}'), '137')
    await cli.ok('rm', name, deaf)
  })

  test('restart keeps a container that removes itself, stop does not', async () => {
    const name = await sleeper('--rm')
    await cli.ok('restart', '-t', '0', name)
    assert.equal(await inspect(name, '{{.State.Status}}'), 'running')
    await cli.ok('stop', '-t', '0', name)
    await until(async () => (await cli.ok('ps', '-aq', '--filter', `name=${name}`)) === '')
  })

  test('run -P publishes every exposed port on a port of the host', async () => {
    const name = await sleeper('-P', '--expose', '70-71/udp')
    const port = await cli.ok('port', name, '71/udp')
    const number = /^0\.0\.0\.0:(\d+)/.exec(port)?.[1] ?? ''
    assert.equal(
      await cli.ok('ps', '-q', '--no-trunc', '--filter', `publish=${number}/udp`),
      await inspect(name, '{{.Id}}'),
    )
    await cli.ok('rm', '-f', name)
  })

  test('kill sends any signal and refuses unknown ones', async () => {
    const name = engine.name()
    const script = 'trap "echo usr1" USR1; echo up; while true; do sleep 0.1; done'
    await cli.ok('run', '-d', '--name', name, 'busybox', 'sh', '-c', script)
    await until(async () => (await cli.ok('logs', name)).includes('up'))
    await cli.ok('kill', '-s', 'USR1', name)
    await until(async () => (await cli.ok('logs', name)).includes('usr1'))
    assert.match(await cli.fails('kill', '-s', 'SIG42', name), /[Ii]nvalid signal: SIG42/)
    await cli.ok('kill', name)
    assert.match(await cli.fails('kill', name), /is not running/)
    await cli.ok('rm', name)
  })

  test('pause freezes a container, unpause thaws it; exec waits for neither', async () => {
    const name = await sleeper()
    await cli.ok('pause', name)
    assert.equal(await inspect(name, '{{.State.Status}} {{.State.Paused}}'), 'paused true')
    assert.match(await cli.fails('exec', name, 'true'), /is paused, unpause the container before exec/)
    assert.match(await cli.fails('pause', name), /is already paused/)
    await cli.ok('unpause', name)
    await cli.ok('exec', name, 'true')
    await cli.ok('rm', '-f', name)
  })

  test('wait prints the exit code, of a running container as of one that has ended', async () => {
    const name = engine.name()
    await cli.ok('run', '-d', '--name', name, 'busybox', 'sh', '-c', 'sleep 0.3; exit 9')
    assert.equal(await cli.ok('wait', name), '9')
    assert.equal(await cli.ok('wait', name), '9')
    await cli.ok('rm', name)
  })

  test('rename gives a name and frees the old one', async () => {
    const name = await sleeper()
    const other = engine.name()
    await cli.ok('rename', name, other)
    assert.equal(await inspect(other, '{{.Name}}'), `/${other}`)
    assert.match(await cli.fails('rename', other, other), /with the same name as its current name/)
    await cli.ok('run', '--name', name, 'busybox', 'true')
    await cli.ok('rm', '-f', other, name)
  })

  test('run --rm removes the container when it ends, also a detached one', async () => {
    const name = engine.name()
    await cli.ok('run', '-d', '--rm', '--name', name, 'busybox', 'sleep', '0.2')
    await until(async () => (await cli.ok('ps', '-aq', '--filter', `name=^/${name}$`)) === '')
  })

  test('a restart policy starts a container again, as often as it says', async () => {
    const name = engine.name()
    await cli.ok('run', '-d', '--name', name, '--restart', 'on-failure:2', 'busybox', 'sh', '-c', 'echo round; exit 3')
    await until(async () => (await inspect(name, '{{.State.Status}} {{.RestartCount}}')) === 'exited 2', 15_000)
    assert.equal((await cli.ok('logs', name)).split('\n').length, 3)
    assert.equal(await inspect(name, '{{.State.ExitCode}}'), '3')
    await cli.ok('rm', name)
  })

  test('a stopped container with restart=always stays stopped; a killed process comes back', async () => {
    const name = engine.name()
    await cli.ok('run', '-d', '--name', name, '--restart', 'always', 'busybox', 'sh', '-c', 'sleep 0.3')
    await until(async () => Number(await inspect(name, '{{.RestartCount}}')) >= 1)
    await cli.ok('stop', '-t', '0', name)
    await sleep(500)
    assert.equal(await inspect(name, '{{.State.Status}}'), 'exited')
    await cli.ok('rm', name)
  })

  test('a healthcheck is starting, then healthy, then unhealthy', async () => {
    const name = engine.name()
    const health = ['--health-cmd', 'test ! -e /sick', '--health-interval', '200ms', '--health-retries', '2']
    await cli.ok('run', '-d', '--name', name, ...health, 'busybox', 'sleep', '1000')
    const status = () => inspect(name, '{{.State.Health.Status}}')
    await until(async () => (await status()) === 'healthy')
    await cli.ok('exec', name, 'touch', '/sick')
    await until(async () => (await status()) === 'unhealthy')
    assert.match(await cli.ok('ps', '--filter', 'health=unhealthy', '--format', '{{.Status}}'), /\(unhealthy\)/)
    await cli.ok('rm', '-f', name)
  })

  test('a health probe that takes too long is killed and counted', async () => {
    const name = engine.name()
    const health = ['--health-cmd', 'echo slow; sleep 100', '--health-interval', '100ms', '--health-timeout', '100ms']
    await cli.ok('run', '-d', '--name', name, ...health, '--health-retries', '1', 'busybox', 'sleep', '1000')
    await until(async () => (await inspect(name, '{{.State.Health.Status}}')) === 'unhealthy')
    const log = await inspect(name, '{{range .State.Health.Log}}{{.ExitCode}} {{.Output}}{{end}}')
    assert.match(log, /-1 Health check exceeded timeout \(100ms\)/)
    await cli.ok('rm', '-f', name)
  })

  test('ps lists what runs; filters, formats, -a, -q, -n and --no-trunc narrow and widen it', async () => {
    const label = `mark=${engine.name()}`
    const running = await sleeper('--label', label)
    const done = engine.name()
    await cli.run(['run', '--name', done, '--label', label, 'busybox', 'sh', '-c', 'exit 4'])
    const names = (...args: string[]) => cli.ok('ps', '--format', '{{.Names}}', '--filter', `label=${label}`, ...args)
    assert.equal(await names(), running)
    assert.equal(await names('-a'), `${done}\n${running}`)
    assert.equal(await names('-a', '--filter', 'exited=4'), done)
    assert.equal(await names('-a', '--filter', 'status=running'), running)
    assert.equal(await names('-a', '--filter', `before=${done}`), running)
    assert.equal(await names('-a', '--filter', 'ancestor=busybox', '--filter', `name=${done}`), done)
    const [id, short] = [
      await cli.ok('ps', '-q', '--no-trunc', '--filter', `label=${label}`),
      await cli.ok('ps', '-q', '--filter', `label=${label}`),
    ]
    assert.deepEqual([id.length, short], [64, id.slice(0, 12)])
    assert.match(
      await cli.ok('ps', '-a', '--filter', `name=${done}`),
      /^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n.*"sh -c 'exit 4'" .*Exited \(4\) .*ago/,
    )
    assert.match(await cli.fails('ps', '--filter', 'colour=red'), /invalid filter 'colour'|invalid filter/i)
    await cli.ok('rm', '-f', running, done)
  })

  test('top shows the processes, stats their use, port and diff their mark', async () => {
    const name = await sleeper()
    assert.match(await cli.ok('top', name), /^UID +PID.*CMD\n.*sleep 1000$/)
    assert.match(await cli.ok('top', name, '-o', 'pid,comm'), /^PID +COMMAND\n *\d+ +sleep$/)
    const stats = await cli.ok('stats', '--no-stream', '--format', '{{.Name}} {{.PIDs}} {{.MemUsage}}', name)
    assert.match(stats, new RegExp(`^${name} 1 [\\d.]+[kKM]iB / `))
    await cli.ok('exec', name, 'sh', '-c', 'touch /tmp/new; rm /etc/group')
    assert.deepEqual((await cli.ok('diff', name)).split('\n').toSorted(), [
      'A /tmp/new',
      'C /etc',
      'C /tmp',
      'D /etc/group',
    ])
    assert.equal(await cli.ok('port', name), '')
    await cli.ok('rm', '-f', name)
  })

  test('attach follows the output, feeds the input and exits as the container does', async () => {
    const name = engine.name()
    await cli.ok(
      'run',
      '-d',
      '-i',
      '--name',
      name,
      'busybox',
      'sh',
      '-c',
      'read line; echo "got $line"; sleep 0.2; exit 6',
    )
    const child = cli.start('attach', name)
    let out = ''
    child.stdout!.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stdin!.write('through attach\n')
    const [code] = (await once(child, 'close')) as [number]
    assert.deepEqual([code, out], [6, 'got through attach\n'])
    await cli.ok('rm', name)
  })

  test('attach passes signals on to the container', async () => {
    const name = engine.name()
    const script = 'trap "echo term; exit 8" TERM; echo up; while true; do sleep 0.1; done'
    const child = cli.start('run', '--name', name, 'busybox', 'sh', '-c', script)
    let out = ''
    child.stdout!.on('data', (chunk: Buffer) => (out += chunk.toString()))
    await until(() => out.includes('up'))
    child.kill('SIGTERM')
    const [code] = (await once(child, 'close')) as [number]
    assert.deepEqual([code, out], [8, 'up\nterm\n'])
    await cli.ok('rm', name)
  })

  test('container prune removes what has ended and leaves what runs', async (t) => {
    if (!engine.daemon) return t.skip('would prune a shared engine')
    const running = await sleeper()
    const done = engine.name()
    await cli.ok('run', '--name', done, 'busybox', 'true')
    const id = await inspect(done, '{{.Id}}')
    const out = await cli.ok('container', 'prune', '-f')
    assert.match(out, new RegExp(`^Deleted Containers:\\n(?:[0-9a-f]{64}\\n)*${id}\\n[\\s\\S]*Total reclaimed space: `))
    assert.equal(await cli.ok('ps', '-a', '--format', '{{.Names}}', '--filter', `name=${done}`), '')
    assert.equal(await inspect(running, '{{.State.Status}}'), 'running')
    await cli.ok('rm', '-f', running)
  })

  test('events of stop and restart are in Docker’s order', async () => {
    const name = await sleeper()
    await cli.ok('stop', '-t', '0', name)
    await cli.ok('start', name)
    await cli.ok('restart', '-t', '0', name)
    await cli.ok('kill', name)
    await cli.ok('rm', name)
    const filters = ['--since', '0', '--until', `${Date.now() / 1000}`, '--filter', `container=${name}`]
    const actions = (await cli.ok('events', ...filters, '--format', '{{.Action}}')).split('\n')
    const stop = ['kill', 'kill', 'stop', 'die', 'start']
    assert.deepEqual(actions.slice(actions.indexOf('kill')), [...stop, ...stop, 'restart', 'kill', 'die', 'destroy'])
  })

  test('events tell of a container’s life', async () => {
    const name = engine.name()
    const since = String(Math.floor(Date.now() / 1000) - 1)
    await cli.ok('run', '--name', name, 'busybox', 'true')
    await cli.ok('rm', name)
    await sleep(1100)
    const until_ = String(Math.floor(Date.now() / 1000))
    const filters = ['--filter', `container=${name}`, '--since', since, '--until', until_]
    const actions = (await cli.ok('events', ...filters, '--format', '{{.Action}}')).split('\n')
    assert.deepEqual(
      actions.filter((action) => !action.startsWith('network')),
      ['create', 'attach', 'start', 'die', 'destroy'],
    )
  })
}
