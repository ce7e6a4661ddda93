import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { type Cli, until } from '@berth/testing'

export function testLogs(cli: Cli): void {
  const { engine } = cli
  const run = async (script: string, ...options: string[]): Promise<string> => {
    const name = engine.name()
    await cli.run(['run', '--name', name, ...options, 'busybox', 'sh', '-c', script])
    return name
  }

  test('logs gives back both streams, the tail, and time stamps that are in order', async () => {
    const name = await run('for i in 1 2 3 4 5; do echo $i; done; echo bad >&2')
    const { stdout, stderr } = await cli.run(['logs', name])
    assert.deepEqual([stdout, stderr], ['1\n2\n3\n4\n5\n', 'bad\n'])
    assert.equal((await cli.run(['logs', '--tail', '0', name])).stdout, '')
    const tail = await cli.run(['logs', '-n', '2', name])
    assert.equal(tail.stdout + tail.stderr, '5\nbad\n')
    const stamps = (await cli.ok('logs', '-t', name)).split('\n').map((line) => line.split(' ')[0]!)
    for (const stamp of stamps) assert.match(stamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/)
    assert.deepEqual(stamps.toSorted(), stamps)
    await cli.ok('rm', name)
  })

  test('logs --since and --until cut by time', async () => {
    const name = await run('echo early; sleep 1.2; echo late')
    const stamps = (await cli.ok('logs', '-t', name)).split('\n').map((line) => line.split(' ')[0]!)
    assert.equal(await cli.ok('logs', '--since', stamps[1]!, name), 'late')
    assert.equal(await cli.ok('logs', '--until', stamps[0]!, name), 'early')
    await cli.ok('rm', name)
  })

  test('logs -f follows until the container ends', async () => {
    const name = engine.name()
    await cli.ok('run', '-d', '--name', name, 'busybox', 'sh', '-c', 'echo one; sleep 0.5; echo two')
    const child = cli.start('logs', '-f', name)
    let out = ''
    child.stdout!.on('data', (chunk: Buffer) => (out += chunk.toString()))
    await until(() => out.includes('one'))
    assert.equal((await once(child, 'close'))[0], 0)
    assert.equal(out, 'one\ntwo\n')
    await cli.ok('rm', name)
  })

  test('logs keeps every line across rotation, and a follower misses none', async () => {
    const name = engine.name()
    const options = ['--log-opt', 'max-size=64k', '--log-opt', 'max-file=20']
    await cli.ok('run', '-d', '-i', '--name', name, ...options, 'busybox', 'sh', '-c', 'read go; seq 1 6000; sleep 0.2')
    const follower = cli.start('logs', '-f', name)
    let followed = ''
    follower.stdout!.on('data', (chunk: Buffer) => (followed += chunk.toString()))
    const attached = cli.run(['attach', '--no-stdin=false', name], { input: 'go\n' })
    await Promise.all([attached, once(follower, 'close')])
    const wanted = Array.from({ length: 6000 }, (_, i) => `${i + 1}\n`).join('')
    assert.equal(`${await cli.ok('logs', name)}\n`, wanted)
    if (engine.daemon) assert.equal(followed, wanted) // dockerd's followers lose lines when files rotate fast
    await cli.ok('rm', name)
  })

  test('logs reads the local driver, and says so of none', async () => {
    const local = await run('echo kept', '--log-driver', 'local')
    assert.equal(await cli.ok('logs', local), 'kept')
    const none = await run('echo lost', '--log-driver', 'none')
    assert.match(await cli.fails('logs', none), /configured logging driver does not support reading/)
    await cli.ok('rm', local, none)
  })

  test('logs --details shows the labels and variables that were asked for', async () => {
    const name = await run('echo x', '--label', 'team=blue', '--log-opt', 'labels=team')
    assert.equal(await cli.ok('logs', '--details', name), 'team=blue x')
    await cli.ok('rm', name)
  })

  test('an unknown log driver and an unknown log option are refused at create', async () => {
    assert.match(
      await cli.fails('create', '--log-driver', 'asdf', 'busybox'),
      /error looking up logging plugin asdf: plugin "asdf" not found/,
    )
    assert.match(
      await cli.fails('create', '--log-opt', 'colour=red', 'busybox'),
      /unknown log opt 'colour' for json-file log driver/,
    )
  })
}
