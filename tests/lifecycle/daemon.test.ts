import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command, loadFixture, readInventory, startDaemon, type TestDaemon, until } from '@berth/testing'

const berth = fileURLToPath(new URL('../../bin/berth', import.meta.url))

let daemon: TestDaemon
let configFile: string
before(async () => {
  daemon = await startDaemon({
    argsIn: (folder) => ['--config-file', (configFile = configuration(folder, { debug: false }))],
  })
  await loadFixture(daemon.api, 'busybox')
})
after(() => daemon?.[Symbol.asyncDispose]())

function configuration(folder: string, settings: object): string {
  const path = join(folder, 'daemon.json')
  writeFileSync(path, JSON.stringify(settings))
  return path
}

const folderOf = ({ runRoot }: TestDaemon): string => dirname(runRoot)
const stateDatabase = (): string => join(daemon.dataRoot, 'state.db')

async function run(name: string): Promise<number> {
  const config = { Image: 'busybox', Cmd: ['sh', '-c', 'exec sleep 100000'] }
  await daemon.api.json('POST', `/containers/create?name=${name}`, config)
  await daemon.api.json('POST', `/containers/${name}/start`)
  return await pidOf(name)
}

async function pidOf(name: string): Promise<number> {
  const { State: state } = (await daemon.api.json('GET', `/containers/${name}/json`)) as { State: { Pid: number } }
  return state.Pid
}

/** A second engine with some of the first one's paths; what it says, and its status. */
async function second(roots: { readonly data?: string; readonly run?: string; readonly socket?: string }) {
  const folder = folderOf(daemon)
  const { data = join(folder, 'data2'), run = join(folder, 'run2'), socket = join(folder, 'second.sock') } = roots
  const own = ['--data-root', data, '--exec-root', run, '-H', `unix://${socket}`, '--bridge', 'berth9']
  const { file, args } = daemon.sandbox.enter([berth, 'daemon', ...own, '--pidfile', join(folder, 'pid2')])
  return await command(file, args, { timeoutMs: 20_000 })
}

test('berthd leaves its containers running when it is stopped, and adopts them when it is back', async () => {
  const pid = await run('stays')
  await daemon.kill('SIGTERM')
  assert.equal(process.kill(pid, 0), true)
  await daemon.start()
  assert.equal(await pidOf('stays'), pid)
  await daemon.api.json('DELETE', '/containers/stays?force=1')
})

test('berthd and its supervisor leave the directory that they were started in, which may then be removed', () => {
  const directories = [daemon.pid, ...daemon.supervisors()].map((pid) => readlinkSync(`/proc/${pid}/cwd`))
  assert.deepEqual(directories, ['/', '/'])
})

test('a second berthd on the same data root, run root or socket is refused, and says why', async () => {
  const sameData = await second({ data: daemon.dataRoot })
  assert.equal(sameData.code, 1)
  assert.match(sameData.stderr, /--data-root \S+ is in use by another berthd/)
  const sameRun = await second({ run: daemon.runRoot })
  assert.equal(sameRun.code, 1)
  assert.match(sameRun.stderr, /--exec-root \S+ is in use by another berthd/)
  const sameSocket = await second({ socket: new URL(daemon.host).pathname })
  assert.equal(sameSocket.code, 1)
  assert.match(sameSocket.stderr, /cannot listen on \S+: another process does/)
  assert.equal(await daemon.api.ping(), true)
})

test('berthd replaces the socket and the pidfile of one that was killed', async () => {
  await daemon.kill('SIGKILL')
  assert.equal(existsSync(new URL(daemon.host).pathname), true)
  await daemon.start()
  await until(() => readFileSync(join(folderOf(daemon), 'pid'), 'utf8') === String(daemon.pid))
})

test('SIGHUP reloads the configuration, and a wrong one is kept out', async () => {
  const level = () => (daemon.api.json('GET', '/info') as Promise<{ Debug: boolean }>).then(({ Debug }) => Debug)
  assert.equal(await level(), false)
  writeFileSync(configFile, JSON.stringify({ debug: true }))
  process.kill(daemon.pid, 'SIGHUP')
  await until(level)
  writeFileSync(configFile, '{ "debug": ')
  process.kill(daemon.pid, 'SIGHUP')
  await until(() => /configuration kept: the new one is wrong/.test(daemon.log()))
  assert.equal(await level(), true)
  writeFileSync(configFile, '{}')
})

test('SIGHUP tells what holds from now on, and what takes a restart', async () => {
  const settings = {
    features: { buildkit: false },
    'registry-mirrors': ['https://mirror.example'],
    'default-shm-size': '1m',
    'max-download-attempts': 2,
  }
  const sinceSeconds = Date.now() / 1000
  writeFileSync(configFile, JSON.stringify(settings))
  process.kill(daemon.pid, 'SIGHUP')
  await until(() => daemon.log().includes('settings="[\\"default-shm-size\\"]"'))
  assert.match(daemon.log(), /"configuration reloaded" .*max-download-attempts=2/)
  const query = `since=${sinceSeconds}&until=${Date.now() / 1000}&filters=${encodeURIComponent('{"event":["reload"]}')}`
  const { text } = await daemon.api.request('GET', `/events?${query}`)
  const { Actor: actor } = JSON.parse(text) as { Actor: { Attributes: Record<string, string> } }
  const hosts = ['name', 'runtimes', 'default-runtime', 'default-cgroupns-mode']
  const rest = Object.fromEntries(Object.entries(actor.Attributes).filter(([key]) => !hosts.includes(key)))
  assert.deepEqual(rest, {
    debug: 'false',
    'default-ipc-mode': 'private',
    'default-shm-size': '67108864',
    features: 'map[buildkit:false]',
    'insecure-registries': '[]',
    labels: '[]',
    'live-restore': 'true',
    'max-concurrent-downloads': '3',
    'max-concurrent-uploads': '5',
    'max-download-attempts': '2',
    'registry-mirrors': '["https://mirror.example"]',
    'shutdown-timeout': '1',
  })
  const ping = () => daemon.api.request('HEAD', '/_ping').then(({ headers }) => headers['builder-version'])
  assert.equal(await ping(), '1')
  writeFileSync(configFile, '{}')
  process.kill(daemon.pid, 'SIGHUP')
  await until(async () => (await ping()) === '2')
})

test('SIGHUP with a setting that cannot be meant changes none of the others', async () => {
  const info = () => daemon.api.json('GET', '/info') as Promise<{ Labels: string[]; Debug: boolean }>
  writeFileSync(configFile, JSON.stringify({ labels: ['a=1'] }))
  process.kill(daemon.pid, 'SIGHUP')
  await until(async () => (await info()).Labels.includes('a=1'))
  for (const wrong of [{ 'log-level': 'bogus' }, { 'max-concurrent-uploads': 0 }, { 'default-runtime': 'nosuch' }]) {
    const refusals = () => daemon.log().split('configuration kept: the new one is wrong').length
    const before = refusals()
    writeFileSync(configFile, JSON.stringify({ labels: ['a=2'], debug: true, ...wrong }))
    process.kill(daemon.pid, 'SIGHUP')
    await until(() => refusals() > before)
    const { Labels, Debug } = await info()
    assert.deepEqual({ Labels, Debug }, { Labels: ['a=1'], Debug: false })
  }
  writeFileSync(configFile, '{}')
})

test('SIGHUP brings OCI runtimes, which the next container runs by, and takes them away', async () => {
  const start = async () => {
    const body = { Image: 'busybox', Cmd: ['true'], HostConfig: { Runtime: 'other' } }
    const made = await daemon.api.request('POST', '/containers/create?name=by-other', body)
    if (made.status !== 201) return made.status
    const started = await daemon.api.request('POST', '/containers/by-other/start')
    await daemon.api.json('DELETE', '/containers/by-other?force=1')
    return started.status
  }
  const reload = async (settings: object, isLoaded: (runtimes: Record<string, unknown>) => boolean) => {
    writeFileSync(configFile, JSON.stringify(settings))
    process.kill(daemon.pid, 'SIGHUP')
    const info = () => daemon.api.json('GET', '/info') as Promise<{ Runtimes: Record<string, unknown> }>
    await until(async () => isLoaded((await info()).Runtimes))
  }
  assert.equal(await start(), 400)
  await reload({ runtimes: { other: { path: 'runc' } } }, (runtimes) => 'other' in runtimes)
  assert.equal(await start(), 204)
  await reload({}, (runtimes) => !('other' in runtimes))
  assert.equal(await start(), 400)
})

test('berthd that is stopped waits for requests as long as shutdown-timeout says', async () => {
  writeFileSync(configFile, JSON.stringify({ 'shutdown-timeout': 15 }))
  await daemon.kill('SIGTERM')
  await daemon.start()
  const body = { Image: 'busybox', Cmd: ['sh', '-c', 'trap "" TERM; while :; do sleep 1; done'] }
  await daemon.api.json('POST', '/containers/create?name=deaf', body)
  await daemon.api.json('POST', '/containers/deaf/start')
  const stopped = daemon.api.request('POST', '/containers/deaf/stop?t=3')
  await daemon.api.ping()
  await daemon.kill('SIGTERM')
  assert.equal((await stopped).status, 204)
  writeFileSync(configFile, '{}')
  await daemon.start()
  await daemon.api.json('DELETE', '/containers/deaf?force=1')
})

test('berthd that is stopped with nothing running leaves no process, mount, namespace, rule, cgroup or bridge', async () => {
  await run('brief')
  await daemon.api.json('DELETE', '/containers/brief?force=1')
  await daemon.kill('SIGTERM')
  const left = readInventory(daemon).filter((line) => !/^(file|link lo$)/.test(line))
  await daemon.start()
  assert.deepEqual(left, [])
})

test('a state database that is none is named, and nothing is touched', async () => {
  await daemon.kill('SIGTERM')
  const kept = readFileSync(stateDatabase())
  writeFileSync(stateDatabase(), 'garbage '.repeat(1000))
  await assert.rejects(daemon.start(), /state\.db: file is not a database: restore it from a backup, or move it away/)
  writeFileSync(stateDatabase(), kept)
  await daemon.start()
  assert.equal((await daemon.api.request('GET', '/images/busybox/json')).status, 200)
})

test('a record that cannot be read costs its own container, and no other', async () => {
  const pid = await run('damaged')
  await run('healthy')
  await daemon.kill('SIGKILL')
  edit(`UPDATE containers SET definition = '{"config":' WHERE name = 'damaged'`)
  await daemon.start()
  assert.equal(process.kill(pid, 0), true)
  assert.match(daemon.log(), /a container record cannot be read: it is left alone/)
  assert.equal((await daemon.api.request('GET', '/containers/damaged/json')).status, 404)
  const again = await daemon.api.request('POST', '/containers/create?name=damaged', { Image: 'busybox' })
  assert.equal(again.status, 409)
  await daemon.api.json('DELETE', '/containers/healthy?force=1')
  await daemon.kill('SIGKILL')
  edit(`DELETE FROM containers WHERE name = 'damaged'`)
  await daemon.start()
  await until(() => !isAlive(pid))
})

function edit(sql: string): void {
  using database = new DatabaseSync(stateDatabase())
  database.exec(sql)
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a container whose directory somebody has removed starts again, and can be removed', async () => {
  await run('bare')
  const { Id: id } = (await daemon.api.json('GET', '/containers/bare/json')) as { Id: string }
  const directory = join(daemon.dataRoot, 'containers', id)
  await daemon.api.json('POST', '/containers/bare/stop?t=0')
  rmSync(directory, { recursive: true })
  await daemon.api.json('POST', '/containers/bare/start')
  assert.deepEqual([statSync(directory).mode & 0o777, existsSync(join(directory, 'hosts'))], [0o710, true])
  await daemon.api.json('POST', '/containers/bare/stop?t=0')
  rmSync(directory, { recursive: true })
  await daemon.api.json('DELETE', '/containers/bare')
  assert.deepEqual(await daemon.api.json('GET', '/containers/json?all=1'), [])
})

test('garbage in the run root is swept, and containers that run stay', async () => {
  const pid = await run('amid')
  await daemon.kill('SIGKILL')
  const id = 'f'.repeat(64)
  writeFileSync(join(daemon.runRoot, 'networks', `${id}.json`), '{"bootId":')
  writeFileSync(join(daemon.runRoot, 'networks', 'x.json'), 'null')
  writeFileSync(join(daemon.runRoot, 'netns', 'nobody'), '')
  mkdirSync(join(daemon.runRoot, 'bundles', id), { recursive: true })
  writeFileSync(join(daemon.runRoot, 'bundles', id, 'config.json'), '[]')
  mkdirSync(join(daemon.runRoot, 'oci', id), { recursive: true })
  mkdirSync(join(daemon.dataRoot, 'containers', id), { recursive: true })
  mkdirSync(join(daemon.dataRoot, 'snapshots', '99999', 'fs'), { recursive: true })
  await daemon.start()
  assert.equal(await pidOf('amid'), pid)
  await daemon.api.json('DELETE', '/containers/amid?force=1')
  const left = readInventory(daemon).filter((line) => line.includes(id) || /nobody|x\.json/.test(line))
  assert.deepEqual(left, [])
})
