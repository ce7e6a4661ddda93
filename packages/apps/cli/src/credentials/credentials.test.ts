import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readConfigFile } from '../config-file.ts'
import { Credentials } from './credentials.ts'

const secret = 'correct horse battery staple'
const ann = { username: 'ann', password: secret }

function setUp(t: TestContext, config: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'berth-credentials-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const directory = join(folder, 'docker')
  const env = { HOME: folder, PATH: folder }
  const file = join(directory, 'config.json')
  if (Object.keys(config).length > 0) {
    new Credentials({ config: {}, directory, env }) // makes nothing
    writeConfig(directory, config)
  }
  const open = () => new Credentials({ config: readConfigFile(directory, assert.fail), directory, env })
  const configNow = () => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  const everything = () =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
  return { folder, directory, open, configNow, everything }
}

function writeConfig(directory: string, config: object): void {
  const { mkdirSync } = process.getBuiltinModule('node:fs')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config))
}

/** A helper that keeps one file a server beside itself, as the protocol has it. */
function installHelper(folder: string, name: string): void {
  const script = `#!/bin/sh
store=${folder}/kept-by-${name}
/bin/mkdir -p $store
input=$(/bin/cat)
case $1 in
  store) server=$(echo "$input" | /bin/sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/' | /bin/sed 's#/#_#g'); echo "$input" > $store/$server ;;
  get) f=$store/$(echo "$input" | /bin/sed 's#/#_#g'); [ -e $f ] || { echo 'credentials not found in native keychain'; exit 1; }; /bin/cat $f ;;
  erase) f=$store/$(echo "$input" | /bin/sed 's#/#_#g'); [ -e $f ] || { echo 'credentials not found in native keychain'; exit 1; }; /bin/rm $f ;;
esac
`
  const path = join(folder, `docker-credential-${name}`)
  writeFileSync(path, script)
  chmodSync(path, 0o755)
}

/** The helper is looked for in the PATH of this process. */
function withPath(t: TestContext, folder: string): void {
  const before = process.env['PATH']
  process.env['PATH'] = `${folder}:${before}`
  t.after(() => void (process.env['PATH'] = before))
}

test('store() leaves no secret in any file, and docker an entry that it can read', async (t) => {
  const { open, configNow, everything } = setUp(t, { psFormat: 'x' })
  await open().store('reg:5000', ann)
  for (const file of everything()) {
    const text = readFileSync(file, 'latin1')
    for (const form of [secret, btoa(secret), btoa(`ann:${secret}`)]) assert.equal(text.includes(form), false, file)
    if (!file.endsWith('config.json')) assert.equal(statSync(file).mode & 0o777, 0o600, file)
  }
  assert.deepEqual(configNow(), { psFormat: 'x', auths: { 'reg:5000': {} } })
  assert.deepEqual(await open().get('reg:5000'), { ...ann, serveraddress: 'reg:5000' })
  assert.equal(await open().get('other:5000'), undefined)
})

test('store() keeps the key where a copy of the configuration does not have it', async (t) => {
  const { open, directory, folder } = setUp(t)
  await open().store('reg', ann)
  const key = join(folder, '.local/share/berth/credentials.key')
  assert.ok(existsSync(key))
  assert.deepEqual(readdirSync(directory).toSorted(), ['berth-credentials.json', 'config.json'])
  rmSync(key)
  await assert.rejects(open().get('reg'), /cannot be decrypted: log in again/)
})

test('get() refuses a sealed entry that was moved to another server', async (t) => {
  const { open, directory } = setUp(t)
  await open().store('good.example', ann)
  const path = join(directory, 'berth-credentials.json')
  const text = readFileSync(path, 'utf8').replace('good.example', 'evil.example')
  writeFileSync(path, text)
  await assert.rejects(open().get('evil.example'), /cannot be decrypted/)
})

test('get() reads what docker wrote, also by the names of earlier clients', async (t) => {
  const auth = btoa('bob:pw')
  const auths = { 'reg:1': { auth }, 'https://old.example/v1/': { auth }, tok: { identitytoken: 'T' }, none: {} }
  const { open } = setUp(t, { auths })
  assert.deepEqual(await open().get('reg:1'), { auth, username: 'bob', password: 'pw', serveraddress: 'reg:1' })
  assert.equal((await open().get('old.example'))?.username, 'bob')
  assert.equal((await open().get('tok'))?.identitytoken, 'T')
  assert.equal(await open().get('none'), undefined)
  assert.equal(await open().get('__proto__'), undefined)
})

test('store() takes what docker wrote in plain text away', async (t) => {
  const { open, configNow } = setUp(t, { auths: { reg: { auth: btoa('bob:old') } } })
  await open().store('reg', ann)
  assert.deepEqual(configNow(), { auths: { reg: {} } })
  assert.equal((await open().get('reg'))?.username, 'ann')
})

test('erase() forgets, and tells whether there was anything', async (t) => {
  const { open, configNow } = setUp(t)
  await open().store('reg', ann)
  assert.equal(await open().erase('reg'), true)
  assert.equal(await open().erase('reg'), false)
  assert.equal(await open().get('reg'), undefined)
  assert.deepEqual(configNow(), { auths: {} })
})

test('credsStore and credHelpers are asked by their protocol', async (t) => {
  const { open, folder, configNow } = setUp(t, { credsStore: 'one', credHelpers: { 'special:1': 'two' } })
  installHelper(folder, 'one')
  installHelper(folder, 'two')
  withPath(t, folder)
  await open().store('reg', ann)
  await open().store('special:1', { username: 'bob', identitytoken: 'T' })
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'kept-by-one/reg'), 'utf8')), {
    ServerURL: 'reg',
    Username: 'ann',
    Secret: secret,
  })
  assert.deepEqual(await open().get('reg'), { ...ann, serveraddress: 'reg' })
  assert.deepEqual(await open().get('special:1'), { serveraddress: 'special:1', identitytoken: 'T' })
  assert.deepEqual(configNow()['auths'], { reg: {}, 'special:1': {} })
  assert.deepEqual(Object.keys(await open().all()).toSorted(), ['reg', 'special:1'])
  assert.equal(await open().erase('reg'), true)
  assert.equal(await open().get('reg'), undefined)
})

test('a helper that is not there, or has no proper name, is told of', async (t) => {
  const { open } = setUp(t, { credHelpers: { a: 'absent', b: '../../bin/sh' } })
  await assert.rejects(open().get('a'), {
    message:
      'error getting credentials - err: exec: "docker-credential-absent": executable file not found in $PATH, out: ``',
  })
  await assert.rejects(open().get('b'), /invalid name of a credential helper/)
})

test('store() chooses the helper that docker would where nothing is configured', async (t) => {
  const { open, folder, configNow } = setUp(t)
  installHelper(folder, 'secretservice')
  withPath(t, folder)
  await open().store('reg', ann)
  assert.deepEqual(configNow(), { auths: { reg: {} }, credsStore: 'secretservice' })
})

const withVariable = (directory: string, config: object, text: string) =>
  new Credentials({ config, directory, env: { HOME: directory, PATH: directory, DOCKER_AUTH_CONFIG: text } })

test('get() and all() take DOCKER_AUTH_CONFIG before what is configured', async (t) => {
  const { directory } = setUp(t)
  const encoded = (text: string) => ({ auth: Buffer.from(text).toString('base64') })
  const config = { auths: { 'one.test': encoded('old:old'), 'two.test': encoded('bob:two') } }
  const variable = JSON.stringify({ auths: { 'one.test': encoded('ci:token'), 'three.test': encoded('ci:three') } })
  const credentials = withVariable(directory, config, variable)
  const users = Object.entries(await credentials.all()).map(([server, { username }]) => [server, username])
  assert.deepEqual(Object.fromEntries(users), { 'one.test': 'ci', 'two.test': 'bob', 'three.test': 'ci' })
  const { username, password } = (await credentials.get('one.test')) ?? {}
  assert.deepEqual([username, password], ['ci', 'token'])
})

test('Credentials tell of a helper that is not there by what it was wanted for', async (t) => {
  const { open } = setUp(t, { credsStore: 'nosuch' })
  const absent = 'err: exec: "docker-credential-nosuch": executable file not found in $PATH, out: ``'
  await assert.rejects(open().get('r'), { message: `error getting credentials - ${absent}` })
  await assert.rejects(open().store('r', ann), { message: `error storing credentials - ${absent}` })
  await assert.rejects(open().erase('r'), { message: `error erasing credentials - ${absent}` })
})

test('get() refuses a malformed DOCKER_AUTH_CONFIG without repeating it', async (t) => {
  const { directory } = setUp(t)
  for (const text of ['{"auths":"hunter2', '"hunter2"']) {
    await assert.rejects(withVariable(directory, {}, text).get('one.test'), {
      message: 'DOCKER_AUTH_CONFIG is not a JSON object with the member "auths"',
    })
  }
})
