import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Cli } from '@berth/testing'

/** `run` and what it makes of exit codes, streams and terminals. */
export function testRun(cli: Cli): void {
  const { engine } = cli
  const run = (...args: string[]) => cli.run(['run', '--rm', ...args])
  const sh = (script: string, ...options: string[]) => cli.ok('run', '--rm', ...options, 'busybox', 'sh', '-c', script)

  test('run passes stdout, stderr and the exit code on, each on its own', async () => {
    const result = await run('busybox', 'sh', '-c', 'echo out; echo err >&2; exit 7')
    assert.deepEqual(result, { code: 7, stdout: 'out\n', stderr: 'err\n' })
  })

  test('run exits with 125 when the engine refuses', async () => {
    const result = await run('--name', '-bad-', 'busybox', 'true')
    assert.equal(result.code, 125)
    assert.match(result.stderr, /Invalid container name \(-bad-\)/)
    assert.equal((await run('--no-such-flag', 'busybox')).code, 125)
  })

  test('run exits with 126 when the command cannot be executed and 127 when it is absent', async () => {
    assert.equal((await run('busybox', '/etc/passwd')).code, 126)
    const absent = await run('busybox', 'no-such-command')
    assert.equal(absent.code, 127)
    assert.match(absent.stderr, /no-such-command.*not found/)
    assert.equal(await cli.ok('ps', '-aq', '--filter', 'status=created', '--filter', 'name=^/bt-'), '')
  })

  test('run exits with 128 + n when a signal ends the container', async () => {
    const name = engine.name()
    const child = cli.start('run', '--rm', '--name', name, 'busybox', 'sh', '-c', 'echo up; exec sleep 1000')
    // Before the kill: it may return after the end.
    const exit = once(child, 'exit')
    await once(child.stdout!, 'data')
    await cli.ok('kill', name)
    assert.equal((await exit)[0], 137)
  })

  test('run -i gives the input to the container, all of it, and its end', async () => {
    const input = 'one line of the input\n'.repeat(100_000)
    const result = await cli.run(['run', '--rm', '-i', 'busybox', 'wc', '-c'], { input })
    assert.deepEqual([result.code, result.stdout.trim()], [0, String(input.length)])
  })

  test('run passes a large output through whole and in order', async () => {
    const out = await sh('seq 1 200000')
    const lines = out.split('\n')
    assert.deepEqual([lines.length, lines[0], lines.at(-1)], [200_000, '1', '200000'])
  })

  test('run -it has a terminal of the right size, in raw mode', async () => {
    const script = 'tty; stty size; echo ready; read line; echo "got $line"; exit 3'
    const keys = { input: 'typed\r', prompt: 'ready', rows: 33, columns: 101 }
    const result = await cli.onTerminal(['run', '-it', '--rm', 'busybox', 'sh', '-c', script], keys)
    assert.match(result.stdout, /\/dev\/(pts\/\d+|console)\r?\n33 101\r?\nready/)
    assert.match(result.stdout, /got typed/)
    assert.equal(result.code, 3)
  })

  test('run -it is left by the detach keys, and the container goes on', async () => {
    const name = engine.name()
    const keys = { input: '\x10\x11', prompt: 'ready' }
    await cli.onTerminal(['run', '-it', '--name', name, 'busybox', 'sh', '-c', 'echo ready; sleep 1000'], keys)
    assert.equal(await cli.ok('inspect', '-f', '{{.State.Running}}', name), 'true')
    await cli.ok('rm', '-f', name)
  })

  test('run -d prints the id; the name is taken then', async () => {
    const name = engine.name()
    const id = await cli.ok('run', '-d', '--name', name, 'busybox', 'sleep', '1000')
    assert.match(id, /^[0-9a-f]{64}$/)
    assert.match(await cli.fails('run', '--name', name, 'busybox', 'true'), /Conflict.*already in use by container/)
    await cli.ok('rm', '-f', name)
  })

  test('run takes environment, working directory, user, hostname and entrypoint', async () => {
    const options = ['-e', 'A=1', '-w', '/tmp', '-u', 'www-data:staff', '-h', 'box', '--entrypoint', '/bin/sh']
    const script = 'echo $A $PWD $(id -u):$(id -g) $(hostname) $HOME'
    assert.equal(await cli.ok('run', '--rm', ...options, 'busybox', '-c', script), '1 /tmp 33:50 box /var/www')
  })

  test('run refuses a user that the image does not know', async () => {
    const result = await run('-u', 'stranger', 'busybox', 'true')
    assert.notEqual(result.code, 0)
    assert.match(result.stderr, /unable to find user stranger: no matching entries in passwd file/)
  })

  test('run reads environment and labels from files and writes the id to a file', async () => {
    const at = (name: string) => join(engine.folder, name)
    writeFileSync(at('env'), '# a comment\nFROM_FILE=yes it is\n')
    const out = await sh('echo $FROM_FILE', '--env-file', at('env'), '--cidfile', at(engine.name()))
    assert.equal(out, 'yes it is')
  })

  test('run binds a folder of the host, read-write and read-only', async () => {
    writeFileSync(join(engine.folder, 'shared'), 'from the host')
    assert.equal(
      await sh('cat /mnt/shared; echo x > /mnt/new; ls /mnt/new', '-v', `${engine.folder}:/mnt`),
      'from the host/mnt/new',
    )
    const refused = await run('-v', `${engine.folder}:/mnt:ro`, 'busybox', 'touch', '/mnt/other')
    assert.match(refused.stderr, /Read-only file system/)
  })

  test('run --read-only, --tmpfs and --shm-size shape the file systems', async () => {
    const options = ['--read-only', '--tmpfs', '/scratch:size=1m', '--shm-size', '8m']
    const out = await sh(
      "touch /x 2>&1; touch /scratch/x && df -k /scratch /dev/shm | awk 'NR>1{print $2}'",
      ...options,
    )
    assert.match(out, /Read-only file system\n1024\n8192$/)
  })

  test('run --init puts an init before the command', async () => {
    assert.match(await sh('cat /proc/1/comm', '--init'), /init|tini|catatonit/)
  })

  test('run --network none has only lo; host has the engine’s; container: shares one', async () => {
    assert.equal(await sh('ls /sys/class/net', '--network', 'none'), 'lo')
    const name = engine.name()
    await cli.ok('run', '-d', '--name', name, '-h', 'first', 'busybox', 'sleep', '1000')
    const address = "ip -4 -o addr show eth0 | awk '{print $4}'"
    const theirs = await cli.ok('exec', name, 'sh', '-c', address)
    assert.match(theirs, /^\d+\.\d+\.\d+\.\d+\/\d+$/)
    assert.equal(await sh(address, '--network', `container:${name}`), theirs)
    await cli.ok('rm', '-f', name)
  })

  test('run on the bridge has an address, a default route, hosts and resolv.conf', async () => {
    const script = 'ip route | head -1; grep -c "$(hostname)" /etc/hosts; grep box /etc/hosts; cat /etc/hostname'
    const out = await sh(script, '-h', 'thathost', '--add-host', 'box:10.9.8.7')
    assert.match(out, /^default via [\d.]+ dev eth0 *\n1\n10\.9\.8\.7\s+box\nthathost$/)
  })

  test('run shares pid, ipc and uts namespaces where asked to', async () => {
    assert.equal(await sh('echo $$'), '1')
    assert.notEqual(await sh('echo $$', '--pid', 'host'), '1')
    const name = engine.name()
    await cli.ok('run', '-d', '--name', name, '--ipc', 'shareable', 'busybox', 'sleep', '1000')
    assert.match(await sh('ps', '--pid', `container:${name}`), /sleep 1000/)
    const ipc = await cli.ok('exec', name, 'readlink', '/proc/self/ns/ipc')
    assert.equal(await sh('readlink /proc/self/ns/ipc', '--ipc', `container:${name}`), ipc)
    await cli.ok('rm', '-f', name)
  })
}
