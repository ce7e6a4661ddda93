// Volumes on devices: the same on Berth and on dockerd (BERTH_TEST_HOST), but for what looks at the host.
import { useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { onHost, type Outcome, tryRun } from '../security/probe.ts'

const engine = useEngine()
const volumes: string[] = []

async function volume(DriverOpts: Readonly<Record<string, string>>): Promise<string> {
  const Name = engine.name()
  volumes.push(Name)
  await engine.api.json('POST', '/volumes/create', { Name, DriverOpts })
  return Name
}

const start = (script: string, hostConfig: object): Promise<Outcome> =>
  tryRun(engine, { Image: 'busybox', Cmd: ['sh', '-c', script], HostConfig: hostConfig })

async function run(script: string, hostConfig: object): Promise<string> {
  const { refusedBy, message, output } = await start(script, hostConfig)
  assert.equal(refusedBy, 'ran', message)
  return output
}

async function isMountedOnHost(name: string): Promise<boolean> {
  return (await onHost(engine, 'cat', '/proc/self/mountinfo')).includes(`/volumes/${name}/_data `)
}

test('a volume on tmpfs has its size, and lives as long as somebody uses it', async () => {
  const own = await volume({ type: 'tmpfs', device: 'tmpfs', o: 'size=1m,uid=7,mode=750,nosuid' })
  const bound = { Binds: [`${own}:/x`] }
  const script = 'stat -c "%a %u" /x; df -k /x | tail -1 | tr -s " " | cut -d" " -f2; touch /x/f'
  assert.equal(await run(script, bound), '750 7\n1024')
  if (engine.daemon) assert.equal(await isMountedOnHost(own), false)
  const name = engine.name()
  const body = { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: bound }
  await engine.api.json('POST', `/containers/create?name=${name}`, body)
  await engine.api.json('POST', `/containers/${name}/start`)
  assert.equal(await run('ls -A /x; touch /x/g', bound), '', 'what the first container wrote is gone')
  assert.equal(await run('ls -A /x', bound), 'g', 'somebody holds it')
  if (engine.daemon) assert.equal(await isMountedOnHost(own), true)
  await engine.api.json('DELETE', `/containers/${name}?force=1`)
  if (engine.daemon) assert.equal(await isMountedOnHost(own), false)
})

test('a volume that binds a directory shows and changes its files, and removing the volume leaves them', async () => {
  const directory = join(engine.folder, 'bound')
  mkdirSync(directory)
  writeFileSync(join(directory, 'f'), 'of the host\n')
  for (const options of [
    { type: 'none', o: 'bind' },
    { type: '', o: 'rbind,rw' },
  ]) {
    const own = await volume({ ...options, device: directory })
    const before = readFileSync(join(directory, 'f'), 'utf8').trim()
    assert.equal(await run('cat /x/f; echo more >>/x/f', { Binds: [`${own}:/x`] }), before)
    await engine.api.json('DELETE', `/volumes/${own}`)
    assert.deepEqual(readdirSync(directory), ['f'])
  }
  assert.equal(readFileSync(join(directory, 'f'), 'utf8'), 'of the host\nmore\nmore\n')
  const readOnly = await volume({ type: 'none', o: 'bind,ro', device: directory })
  assert.equal(await run('touch /x/g 2>/dev/null || echo refused', { Binds: [`${readOnly}:/x`] }), 'refused')
})

test('a volume on a device is filled from the image while it is empty', async (t) => {
  if (!engine.daemon) return t.skip('a directory of the engine’s own host')
  const directory = join(engine.folder, 'filled')
  mkdirSync(directory)
  const own = await volume({ type: 'none', o: 'bind', device: directory })
  assert.match(await run('ls /etc', { Binds: [`${own}:/etc`] }), /^passwd$/m)
  assert.ok(readdirSync(directory).includes('passwd'))
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith('.')),
    [],
  )
})

test('what cannot be mounted fails the start in Docker’s words, without the password', async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [
      { type: 'none', o: 'bind', device: '/bt-nowhere' },
      /error while mounting volume '.*\/_data': failed to mount local volume: mount \/bt-nowhere:.*\/_data, flags: 0x1000: no such file or directory$/,
    ],
    [
      { type: 'bt-unknown', device: 'x' },
      /error while mounting volume '.*\/_data': failed to mount local volume: mount x:.*\/_data: no such device$/,
    ],
    [
      { type: 'tmpfs', device: 'tmpfs', o: 'size=foo' },
      /failed to mount local volume: mount tmpfs:.*\/_data, data: size=foo: invalid argument$/,
    ],
    [
      { type: 'cifs', device: '//127.0.0.1/x', o: 'addr=127.0.0.1,username=a,password=secret,uid=1' },
      /data: addr=127\.0\.0\.1,username=a,password=\*{8},uid=1: /,
    ],
    [
      { type: 'nfs', device: ':/x', o: 'addr=bt-no-such-host.invalid,rw' },
      /error while mounting volume '.*\/_data': error resolving passed in network volume address: .*bt-no-such-host.invalid/,
    ],
  ]
  for (const [options, words] of cases) {
    const own = await volume(options)
    const { refusedBy, message } = await start('true', { Binds: [`${own}:/x`] })
    assert.equal(refusedBy, 'start', JSON.stringify(options))
    assert.match(message, words)
    assert.ok(!message.includes('secret'))
    if (engine.daemon) assert.equal(await isMountedOnHost(own), false)
  }
})

test('what the tests made can be removed', async () => {
  for (const own of volumes) await engine.api.json('DELETE', `/volumes/${own}?force=1`)
})
