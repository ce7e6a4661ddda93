import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Cli, until } from '@berth/testing'

export function testExec(cli: Cli): void {
  const { engine } = cli
  let name = ''
  before(async () => {
    name = engine.name()
    await cli.ok('run', '-d', '--name', name, '-e', 'OUTER=1', '-w', '/tmp', 'busybox', 'sleep', '10000')
  })
  after(() => cli.run(['rm', '-f', name]))

  test('exec passes streams and the exit code on', async () => {
    const result = await cli.run(['exec', name, 'sh', '-c', 'echo out; echo err >&2; exit 7'])
    assert.deepEqual(result, { code: 7, stdout: 'out\n', stderr: 'err\n' })
  })

  test('exec exits with 127 for a missing command and 126 for one that cannot be executed', async () => {
    assert.equal((await cli.run(['exec', name, 'no-such-command'])).code, 127)
    assert.equal((await cli.run(['exec', name, '/etc/passwd'])).code, 126)
  })

  test('exec takes environment, working directory and user; the container’s own are the default', async () => {
    const script = 'echo $OUTER $INNER $PWD $(id -un)'
    assert.equal(await cli.ok('exec', name, 'sh', '-c', script), '1 /tmp root')
    const options = ['-e', 'INNER=2', '-w', '/etc', '-u', 'www-data']
    assert.equal(await cli.ok('exec', ...options, name, 'sh', '-c', script), '1 2 /etc www-data')
  })

  test('exec is held to the limits of its container', async () => {
    const limited = engine.name()
    await cli.ok('run', '-d', '--name', limited, '--ulimit', 'nofile=100:200', 'busybox', 'sleep', '10000')
    assert.equal(await cli.ok('exec', limited, 'sh', '-c', 'ulimit -n; ulimit -Hn'), '100\n200')
    await cli.ok('rm', '-f', limited)
  })

  test('exec is as likely to be ended for lack of memory as its container', async () => {
    const likely = engine.name()
    await cli.ok('run', '-d', '--name', likely, '--oom-score-adj', '500', 'busybox', 'sleep', '10000')
    assert.equal(await cli.ok('exec', likely, 'cat', '/proc/1/oom_score_adj', '/proc/self/oom_score_adj'), '500\n500')
    await cli.ok('rm', '-f', likely)
  })

  test('exec -i gives the input and its end', async () => {
    const input = 'x'.repeat(3_000_000)
    const result = await cli.run(['exec', '-i', name, 'wc', '-c'], { input })
    assert.equal(result.stdout.trim(), '3000000')
  })

  test('exec -it has a terminal', async () => {
    const keys = { input: 'exit 4\r', prompt: '#', rows: 31, columns: 97 }
    // an OCI runtime may start the process a moment before its terminal has a size
    const sized = 'until size=$(stty size 2>/dev/null); [ -n "$size" ]; do :; done; echo $size; exec sh'
    const result = await cli.onTerminal(['exec', '-it', name, 'sh', '-c', sized], keys)
    assert.match(result.stdout, /31 97/)
    assert.equal(result.code, 4)
  })

  test('exec -d starts and does not wait', async () => {
    await cli.ok('exec', '-d', name, 'sh', '-c', 'sleep 0.2; touch /tmp/detached')
    await until(async () => (await cli.run(['exec', name, 'test', '-e', '/tmp/detached'])).code === 0)
  })

  test('exec --privileged has every capability', async () => {
    const caps = (...options: string[]) =>
      cli.ok('exec', ...options, name, 'awk', '/^CapEff/{print $2}', '/proc/self/status')
    assert.equal(await caps(), '00000000a80425fb')
    assert.match(await caps('--privileged'), /^000001ff/)
  })

  test('exec in a container that does not run is refused', async () => {
    const other = engine.name()
    await cli.ok('create', '--name', other, 'busybox', 'true')
    assert.match(await cli.fails('exec', other, 'true'), /is not running/)
    assert.match(await cli.fails('exec', 'nobody-knows', 'true'), /No such container: nobody-knows/)
    await cli.ok('rm', other)
  })

  test('an exec ends with its container', async () => {
    const other = engine.name()
    await cli.ok('run', '-d', '--name', other, 'busybox', 'sleep', '1000')
    const pending = cli.run(['exec', other, 'sleep', '1000'])
    await until(async () => (await cli.ok('top', other)).split('\n').length === 3)
    await cli.ok('kill', other)
    assert.equal((await pending).code, 137)
    await cli.ok('rm', other)
  })
}
