import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { Config, loadConfig } from './config.ts'
import { parseFlags } from './flags.ts'

function withFile<T>(text: string, use: (path: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'berth-config-'))
  try {
    const path = join(directory, 'daemon.json')
    writeFileSync(path, text)
    return use(path)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('parseFlags() reads every form of flag that dockerd takes', () => {
  const { values } = parseFlags([
    '-H',
    'unix:///a',
    '--host=tcp://b',
    '-D',
    '--live-restore=false',
    '--log-opt',
    'max-size=1m',
    '--default-ulimit=nofile=1:2',
  ])
  assert.deepEqual(values, {
    hosts: ['unix:///a', 'tcp://b'],
    debug: true,
    'live-restore': false,
    'log-opts': { 'max-size': '1m' },
    'default-ulimits': { nofile: { Name: 'nofile', Soft: 1, Hard: 2 } },
  })
})

test('paths are as of the directory that the engine is started in, by flag and by file; words are no paths', () => {
  const { values } = parseFlags(['-g', 'data', '--pidfile=', '--tlskey', '/k', '--seccomp-profile', 'builtin'])
  assert.deepEqual(values, { 'data-root': resolve('data'), pidfile: '', tlskey: '/k', 'seccomp-profile': 'builtin' })
  const config = withFile('{"exec-root": "run", "seccomp-profile": "p.json"}', (path) =>
    loadConfig({ 'config-file': path }),
  )
  assert.equal(config.get('exec-root', ''), resolve('run'))
  assert.equal(config.get('seccomp-profile', ''), resolve('p.json'))
})

test('the init program is a path as of that directory, or a name', () => {
  assert.deepEqual(parseFlags(['--init-path', './tini']).values, { 'init-path': resolve('tini') })
  assert.deepEqual(parseFlags(['--init-path=catatonit']).values, { 'init-path': 'catatonit' })
})

test('the path of a runtime is as of that directory, too; a name alone is looked up', () => {
  const { values } = parseFlags(['--add-runtime', 'own=./own', '--add-runtime', 'other=crun'])
  assert.deepEqual(values['runtimes'], { own: { path: resolve('own') }, other: { path: 'crun' } })
  const file = '{"runtimes": {"own": {"path": "bin/own", "runtimeArgs": ["-v"]}}}'
  const config = withFile(file, (path) => loadConfig({ 'config-file': path }))
  assert.deepEqual(config.get('runtimes', {}), { own: { path: resolve('bin/own'), runtimeArgs: ['-v'] } })
})

test('parseFlags() refuses what it does not know, by name', () => {
  assert.throws(() => parseFlags(['--nope']), /unknown flag: --nope/)
  assert.throws(() => parseFlags(['-Z']), /unknown shorthand flag: 'Z'/)
  assert.throws(() => parseFlags(['--bip']), /flag needs an argument: --bip/)
  assert.throws(() => parseFlags(['--debug=maybe']), /invalid argument "maybe" for "--debug"/)
})

test('loadConfig() refuses a directive given twice, an unknown one, a wrong type and broken JSON', () => {
  const load = (text: string, ...flags: string[]) =>
    withFile(text, (path) => loadConfig(parseFlags(['--config-file', path, ...flags]).values))
  assert.throws(() => load('{"debug": true}', '-D'), /both as a flag and in the configuration file: debug/)
  assert.throws(() => load('{"nonsense": 1, "debug": true}'), /don't match any configuration option: nonsense/)
  assert.throws(() => load('{"debug": "yes"}'), /debug: want true or false/)
  assert.throws(() => load('{"debug": '), /unable to configure the daemon with file/)
  assert.throws(
    () => load('{"userns-remap": "default"}'),
    /--userns-remap=default is refused: user namespace remapping/,
  )
  assert.throws(
    () => load('{"host-gateway-ip": "192.0.2.1", "host-gateway-ips": []}'),
    /host-gateway-ip is host-gateway-ips too/,
  )
  const gateways = load('{"host-gateway-ip": "192.0.2.1"}').get('host-gateway-ips', [] as readonly string[])
  assert.deepEqual(gateways, ['192.0.2.1'])
  assert.equal(load('{"labels": ["a=b"], "userns-remap": ""}').get('labels', [] as readonly string[])[0], 'a=b')
})

test('features are switched by flag and by file', () => {
  const { values } = parseFlags(['--feature', 'buildkit=false', '--feature=cdi'])
  assert.deepEqual(values, { features: { buildkit: false, cdi: true } })
  const load = (text: string) => withFile(text, (path) => loadConfig({ 'config-file': path }))
  assert.deepEqual(load('{"features": {"buildkit": true}}').get('features', {}), { buildkit: true })
  assert.throws(() => load('{"features": {"buildkit": "x"}}'), /features: want an object of true or false by name/)
  assert.throws(() => parseFlags(['--feature=buildkit=x']), /invalid argument "x" for "--feature" flag/)
})

test('Config.restartKeys() names what changed in vain', () => {
  const config = new Config({ debug: true, 'data-root': '/a', dns: ['192.0.2.1'], mtu: 1400 })
  const fresh = new Config({ 'data-root': '/b', dns: ['192.0.2.1'], icc: false })
  assert.deepEqual(config.restartKeys(fresh), ['data-root', 'mtu', 'icc'])
})

test('Config.reloaded() takes only what may change while the daemon runs', () => {
  const config = new Config({ debug: true, 'data-root': '/a', labels: ['x=1'] })
  const fresh = new Config({ debug: false, 'data-root': '/b' })
  const reloaded = config.reloaded(fresh)
  assert.equal(reloaded.get('debug', true), false)
  assert.equal(reloaded.get('data-root', ''), '/a')
  assert.equal(reloaded.has('labels'), false)
})

test('loadConfig() refuses members that every object inherits, as it does any other that it does not know', () => {
  withFile('{"builder": {"propertyIsEnumerable": "gc", "gc": {}}}', (path) => {
    assert.throws(() => loadConfig({ 'config-file': path }), /daemon.json: builder: want /)
  })
})

test('parseFlags() keeps the options of a driver with any name', () => {
  const { values } = parseFlags(['--default-network-opt=__proto__=a=1', '--default-network-opt=__proto__=b=2'])
  assert.equal(JSON.stringify(values), '{"default-network-opts":{"__proto__":{"a":"1","b":"2"}}}')
})
