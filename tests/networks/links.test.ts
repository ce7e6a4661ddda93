// Links between containers on the default bridge.
import { Cli, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { test } from 'node:test'

const engine = useEngine()
const cli = new Cli('docker', engine)
const ok = (...args: string[]) => cli.ok(...args)
const addressOf = (name: string) => ok('inspect', '-f', '{{.NetworkSettings.Networks.bridge.IPAddress}}', name)
const hostsOf = async (name: string) => (await ok('exec', name, 'cat', '/etc/hosts')).split('\n').slice(6)

test('a linked container is found by its alias, told by the environment, and found again when it comes back', async () => {
  const [db, web, other] = [engine.name(), engine.name(), engine.name()]
  const id = (await ok('run', '-d', '--name', db, '-e', 'FOO=bar', '--expose', '80', 'busybox', 'sleep', '600')).slice(
    0,
    12,
  )
  await ok(
    'run',
    '-d',
    '--name',
    web,
    '--hostname',
    'h',
    '--link',
    `${db}:al-ias`,
    '--link',
    id,
    'busybox',
    'sleep',
    '600',
  )
  const address = await addressOf(db)
  const own = await addressOf(web)
  assert.deepEqual(await hostsOf(web), [`${address}\tal-ias ${id} ${db}`, `${address}\t${id} ${id} ${db}`, `${own}\th`])
  const env = (await ok('exec', web, 'env')).split('\n').filter((line) => line.startsWith('AL_IAS'))
  assert.deepEqual(env, [
    `AL_IAS_PORT=tcp://${address}:80`,
    `AL_IAS_PORT_80_TCP=tcp://${address}:80`,
    `AL_IAS_PORT_80_TCP_ADDR=${address}`,
    'AL_IAS_PORT_80_TCP_PORT=80',
    'AL_IAS_PORT_80_TCP_PROTO=tcp',
    `AL_IAS_NAME=/${web}/al-ias`,
    'AL_IAS_ENV_FOO=bar',
  ])
  await ok('stop', '-t', '0', db)
  await ok('run', '-d', '--name', other, 'busybox', 'sleep', '600')
  await ok('start', db)
  const moved = await addressOf(db)
  assert.equal((await hostsOf(web))[0], `${moved}\tal-ias ${id} ${db}`)
  assert.match(await ok('exec', web, 'ping', '-c', '1', '-w', '3', 'al-ias'), /1 packets received/)
  await ok('rm', '-f', db, web, other)
})

test('links are names, renaming keeps them, rm --link takes them away', async () => {
  const [db, renamed, web] = [engine.name(), engine.name(), engine.name()]
  await ok('run', '-d', '--name', db, 'busybox', 'sleep', '600')
  await ok('create', '--name', web, '--link', `${db}:one`, '--link', `${db}:two`, 'busybox', 'true')
  const links = () => ok('inspect', '-f', '{{json .HostConfig.Links}}', web)
  assert.equal(await links(), JSON.stringify([`/${db}:/${web}/one`, `/${db}:/${web}/two`]))
  await ok('rename', db, renamed)
  assert.equal(await links(), JSON.stringify([`/${renamed}:/${web}/one`, `/${renamed}:/${web}/two`]))
  const names = await ok('ps', '--no-trunc', '--filter', `name=${renamed}`, '--format', '{{.Names}}')
  assert.deepEqual(names.split(',').toSorted(), [renamed, `${web}/one`, `${web}/two`].toSorted())
  assert.equal(await ok('rm', '--link', `/${web}/one`), `/${web}/one`)
  assert.equal(await links(), JSON.stringify([`/${renamed}:/${web}/two`]))
  assert.match(await cli.fails('rm', '--link', `${web}/nope`), /No such container: \S+\/nope/)
  assert.match(await cli.fails('rm', '--link', web), /Conflict, cannot remove the default link name of the container/)
  assert.match(await cli.fails('rm', '--link', 'nobody'), /No such container: nobody/)
  await ok('rm', '-f', renamed)
  assert.equal(await links(), 'null')
  assert.equal((await cli.run(['start', '-a', web])).code, 0)
  await ok('rm', web)
})

test('a link to nobody, or to who does not run, is refused in Docker’s words', async () => {
  const [down, web] = [engine.name(), engine.name()]
  const { status, text } = await engine.api.request('POST', '/containers/create', {
    Image: 'busybox',
    HostConfig: { Links: ['nobody:x'] },
  })
  assert.equal(status, 400)
  assert.match(text, /could not get container for nobody: No such container: nobody/)
  await ok('create', '--name', down, 'busybox', 'true')
  assert.match(
    await cli.fails('run', '--name', web, '--link', `${down}:x`, 'busybox', 'true'),
    new RegExp(`Cannot link to a non running container: /${down} AS /${web}/x`),
  )
  await ok('rm', down, web)
})

test('on a network of users a link names who comes later, and each may name the other', async () => {
  const [network, one, two] = [engine.name(), engine.name(), engine.name()]
  await ok('network', 'create', network)
  const run = (name: string, link: string) =>
    ok('run', '-d', '--name', name, '--network', network, '--link', link, 'busybox', 'sleep', '600')
  await run(one, `${two}:later`)
  assert.match(await cli.fails('exec', one, 'ping', '-c', '1', '-w', '1', 'later'), /bad address 'later'/)
  await run(two, `${one}:earlier`)
  assert.match(await ok('exec', one, 'ping', '-c', '1', '-w', '3', 'later'), /1 packets received/)
  assert.match(await ok('exec', two, 'ping', '-c', '1', '-w', '3', 'earlier'), /1 packets received/)
  const format = `{{json .HostConfig.Links}} {{json (index .NetworkSettings.Networks "${network}").Links}}`
  assert.equal(await ok('inspect', '-f', format, one), `null ["${two}:later"]`)
  await ok('rm', '-f', one, two)
  await ok('network', 'rm', network)
})
