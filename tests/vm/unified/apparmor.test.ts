// A kernel with AppArmor: which profile a container and what is executed in it have, and what Docker's default denies.
import { Cli, command, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { mkdirSync, rmdirSync } from 'node:fs'
import { test } from 'node:test'

const engine = useEngine()
const cli = new Cli('berth', engine)

const confinement = ['cat', '/proc/self/attr/apparmor/current']

/** What the first process of a new container is confined by. */
const confinedBy = (...options: string[]): Promise<string> =>
  cli.ok('run', '--rm', ...options, 'busybox', ...confinement)

const profileOf = (name: string): Promise<string> => cli.ok('inspect', '-f', '{{.AppArmorProfile}}', name)

async function parser(flag: '-r' | '-R', text: string): Promise<void> {
  const { code, stderr } = await command('apparmor_parser', ['-K', flag], { input: text })
  assert.equal(code, 0, stderr)
}

test('a container is confined by docker-default, as is what is executed in it, also with --privileged', async () => {
  const name = engine.name()
  await cli.ok('run', '-d', '--name', name, 'busybox', 'sleep', '10000')
  assert.equal(await profileOf(name), 'docker-default')
  const seen = [await cli.ok('exec', name, 'cat', '/proc/1/attr/apparmor/current')]
  seen.push(await cli.ok('exec', name, ...confinement), await cli.ok('exec', '--privileged', name, ...confinement))
  assert.deepEqual(seen, Array(3).fill('docker-default (enforce)'))
  await cli.ok('stop', name)
  assert.equal(await cli.ok('inspect', '-f', '{{.State.ExitCode}}', name), '137')
  await cli.ok('rm', name)
})

test('info tells of AppArmor', async () => {
  const { SecurityOptions } = (await engine.api.json('GET', '/info')) as { SecurityOptions: string[] }
  assert.equal(SecurityOptions[0], 'name=apparmor')
})

test('a privileged container is unconfined, as is one that asks for it, and what is executed in it', async () => {
  assert.equal(await confinedBy('--privileged'), 'unconfined')
  const name = engine.name()
  await cli.ok('run', '-d', '--name', name, '--security-opt', 'apparmor=unconfined', 'busybox', 'sleep', '10000')
  assert.deepEqual([await profileOf(name), await cli.ok('exec', name, ...confinement)], ['unconfined', 'unconfined'])
  await cli.ok('rm', '-f', name)
})

test('docker-default denies mounts, and settings of the kernel, to those who have the capabilities', async () => {
  const held = await cli.run([
    'run',
    '--rm',
    '--cap-add',
    'SYS_ADMIN',
    'busybox',
    'sh',
    '-c',
    'mkdir /m; mount -t tmpfs x /m',
  ])
  assert.match(held.stderr, /permission denied/i)
  const free = ['--cap-add', 'SYS_ADMIN', '--security-opt', 'apparmor=unconfined']
  await cli.ok('run', '--rm', ...free, 'busybox', 'sh', '-c', 'mkdir /m; mount -t tmpfs x /m')
  const written = ['sh', '-c', 'echo 10 >/proc/sys/kernel/printk_ratelimit']
  const open = ['--security-opt', 'systempaths=unconfined']
  assert.match((await cli.run(['run', '--rm', ...open, 'busybox', ...written])).stderr, /permission denied/i)
})

test('a profile of the host’s confines a container and what is executed in it', async () => {
  const text = `profile berth-test-profile flags=(attach_disconnected) {
    file, signal, capability, network,
    deny /secret r,
  }`
  await parser('-r', text)
  const name = engine.name()
  await cli.ok(
    'run',
    '-d',
    '--name',
    name,
    '--security-opt',
    'apparmor=berth-test-profile',
    'busybox',
    'sleep',
    '10000',
  )
  assert.equal(await profileOf(name), 'berth-test-profile')
  assert.equal(await cli.ok('exec', name, ...confinement), 'berth-test-profile (enforce)')
  const read = await cli.run(['exec', name, 'sh', '-c', 'echo x >/secret; cat /secret'])
  assert.match(read.stderr, /permission denied/i)
  await cli.ok('rm', '-f', name)
  await parser('-R', text)
})

test('a profile that there is not fails the start by its name, and leaves a container that can be removed', async () => {
  const name = engine.name()
  const { code, stderr } = await cli.run([
    'run',
    '--name',
    name,
    '--security-opt',
    'apparmor=no-such-profile',
    'busybox',
    'true',
  ])
  // The docker CLI's exit code for a start that misses any file.
  assert.equal(code, 127, stderr)
  assert.match(stderr, /unable to apply apparmor profile: .*: no such file or directory/)
  assert.equal(await cli.ok('inspect', '-f', '{{.State.Status}}', name), 'created')
  await cli.ok('rm', name)
})

test('docker-default is loaded again where something has unloaded it: before a start, an exec and a RUN', async () => {
  const name = engine.name()
  await cli.ok('run', '-d', '--name', name, 'busybox', 'sleep', '10000')
  const unload = () => parser('-R', 'profile docker-default {}')
  await unload()
  assert.equal(await cli.ok('exec', name, ...confinement), 'docker-default (enforce)')
  await unload()
  assert.equal(await confinedBy(), 'docker-default (enforce)')
  await unload()
  const text = `FROM busybox\nRUN ${confinement.join(' ')} >/facts\n`
  const built = await cli.run(['build', '-q', '-t', name, '-'], { input: text })
  assert.equal(built.code, 0, built.stderr)
  assert.equal(await cli.ok('run', '--rm', name, 'cat', '/facts'), 'docker-default (enforce)')
  await cli.ok('rm', '-f', name)
  await cli.ok('rmi', name)
})

test('docker-default needs no files of the distribution’s', async () => {
  const empty = `${engine.folder}/empty`
  mkdirSync(empty)
  const inside = (...argv: string[]) => command('nsenter', ['-m', '-t', `${engine.daemon!.sandbox.pid}`, ...argv])
  await engine.daemon!.kill('SIGKILL')
  await parser('-R', 'profile docker-default {}')
  await inside('mount', '--bind', empty, '/etc/apparmor.d')
  await engine.daemon!.start()
  assert.equal(await confinedBy(), 'docker-default (enforce)')
  await inside('umount', '/etc/apparmor.d')
  rmdirSync(empty)
})
