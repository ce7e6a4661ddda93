// berth system check, against a store that was damaged in every way it knows of.
import { Cli, loadFixture, type TestEngine, until, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'

interface Finding {
  readonly Kind: string
  readonly Subject: string
  readonly Remedy: string
  readonly Repaired: boolean
}

const engine: TestEngine = useEngine()
const cli = new Cli('berth', engine)

async function check(...args: string[]): Promise<{ code: number; findings: Finding[] }> {
  const { code, stdout, stderr } = await cli.run(['system', 'check', '--format', '{{json .}}', ...args])
  assert.equal(stderr, '')
  const lines = stdout.split('\n').filter(Boolean)
  return { code, findings: lines.map((line) => JSON.parse(line) as Finding) }
}

/** Does `work` with the file of the engine's database while the engine is down. */
async function whileDown<T>(work: (path: string) => T): Promise<T> {
  const daemon = engine.daemon!
  await daemon.kill('SIGTERM')
  try {
    return work(join(daemon.dataRoot, 'state.db'))
  } finally {
    await daemon.start()
  }
}

const withDatabase = <T>(work: (database: DatabaseSync) => T): Promise<T> =>
  whileDown((path) => {
    using database = new DatabaseSync(path)
    return work(database)
  })

const inside = (script: string): void => {
  const { file, args, env } = engine.daemon!.sandbox.enter(['sh', '-c', script])
  execFileSync(file, args, { env })
}

describe('berth system check', () => {
  test('a healthy engine has nothing to tell, with containers in every state', async () => {
    await cli.ok('create', '--name', 'made', 'busybox', 'true')
    await cli.ok('run', '-d', '--name', 'runs', '-v', 'kept:/v', '-p', '80', 'busybox', 'sleep', '1000')
    await cli.ok('run', '--name', 'ended', 'busybox', 'true')
    await until(async () => (await check()).findings.length === 0)
    assert.deepEqual(await check(), { code: 0, findings: [] })
    assert.equal(await cli.ok('system', 'check'), 'Everything is as it should be.')
  })

  test('leftovers, stray mounts and garbage are found, mended with --repair, and nothing else is', async () => {
    const { dataRoot } = engine.daemon!
    const stray = 'f'.repeat(64)
    const leftovers = [join(dataRoot, 'snapshots/999999'), join(dataRoot, 'containers', stray)]
    for (const path of leftovers) mkdirSync(path)
    const blob = join(dataRoot, 'content/blobs/sha256', 'e'.repeat(64))
    writeFileSync(blob, 'not what its name says')
    utimesSync(blob, 1, 1)
    mkdirSync(join(dataRoot, 'snapshots/999999/merged'))
    inside(`mount -t tmpfs stray ${join(dataRoot, 'snapshots/999999/merged')}`)
    const before = await check()
    const kinds = before.findings.map(({ Kind }) => Kind).toSorted()
    assert.deepEqual(
      [before.code, kinds],
      [1, ['corrupt-blob', 'garbage', 'stray-mount']],
      'what is young is left alone',
    )
    await until(async () => (await check()).findings.filter(({ Kind }) => Kind === 'leftover').length === 2, 30_000)
    const repaired = await check('--repair')
    assert.equal(repaired.code, 0, JSON.stringify(repaired.findings))
    assert.equal(existsSync(blob), false)
    assert.deepEqual((await check()).findings, [])
    assert.equal(await cli.ok('exec', 'runs', 'echo', 'runs on'), 'runs on')
    assert.equal(await cli.ok('run', '--rm', 'busybox', 'echo', 'the image too'), 'the image too')
    for (const path of leftovers) assert.equal(existsSync(path), false)
  })

  test('a network namespace of nobody is removed', async () => {
    const pin = join(engine.daemon!.runRoot, 'netns', 'stray')
    inside(`touch ${pin}; mount --bind /proc/self/ns/net ${pin}`)
    const strays = async () => (await check()).findings.map(({ Kind, Subject }) => `${Kind} ${Subject}`)
    await until(async () => (await strays()).includes(`stray-namespace ${pin}`), 30_000)
    assert.equal((await check('--repair')).code, 0)
    assert.equal(existsSync(pin), false)
    assert.deepEqual(await strays(), [])
  })

  test('a directory of no volume is told of, and left alone', async () => {
    const path = join(engine.daemon!.dataRoot, 'volumes', 'stray')
    mkdirSync(join(path, '_data'), { recursive: true })
    await until(async () => (await check()).findings.some(({ Subject }) => Subject === path), 30_000)
    assert.deepEqual((await check('--repair')).findings, [
      {
        Kind: 'leftover',
        Subject: path,
        Message: 'no volume has this directory: left to you',
        Remedy: '',
        Repaired: false,
      },
    ])
    assert.ok(existsSync(join(path, '_data')))
    rmSync(path, { recursive: true })
  })

  test('files that are missing are told of', async () => {
    const { dataRoot } = engine.daemon!
    const { Id } = (await engine.api.json('GET', '/containers/ended/json')) as { Id: string }
    const { GraphDriver } = (await engine.api.json('GET', '/containers/ended/json')) as {
      GraphDriver: { Data: { UpperDir: string } }
    }
    const snapshot = join(GraphDriver.Data.UpperDir, '..')
    for (const [path, subject] of [
      [join(dataRoot, 'containers', Id), Id],
      [snapshot, Id],
      [join(dataRoot, 'volumes/kept/_data'), 'kept'],
    ] as const) {
      renameSync(path, `${path}.away`)
      const { code, findings } = await check('--repair')
      renameSync(`${path}.away`, path)
      assert.deepEqual(
        [code, findings.map(({ Kind, Subject, Repaired }) => [Kind, Subject, Repaired])],
        [1, [['missing-files', subject, false]]],
        path,
      )
    }
    assert.deepEqual(await check(), { code: 0, findings: [] })
  })

  test('a layer without its files is forgotten, and unpacked again when it is needed', async () => {
    await loadFixture(engine.api, 'hello-world')
    const snapshots = join(engine.daemon!.dataRoot, 'snapshots')
    const layer = readdirSync(snapshots).find((name) => existsSync(join(snapshots, name, 'fs/hello')))
    rmSync(join(snapshots, layer!), { recursive: true })
    const { code, findings } = await check('--repair')
    assert.deepEqual(
      [code, findings.map(({ Kind, Remedy, Repaired }) => [Kind, Remedy, Repaired])],
      [0, [['missing-files', 'record removed', true]]],
    )
    assert.match(await cli.ok('run', '--rm', 'hello-world'), /./)
    assert.deepEqual((await check()).findings, [])
  })

  test('a blob that an image needs is told of and never removed', async () => {
    const { dataRoot } = engine.daemon!
    const blobs = join(dataRoot, 'content/blobs/sha256')
    const { Id } = (await engine.api.json('GET', '/images/busybox/json')) as { Id: string }
    const config = join(blobs, Id.slice(7))
    execFileSync('cp', ['-a', config, `${engine.folder}/config`])
    writeFileSync(config, 'damaged')
    const { code, findings } = await check('--repair')
    assert.deepEqual(
      [code, findings.map(({ Kind, Subject, Repaired }) => [Kind, Subject, Repaired])],
      [1, [['corrupt-blob', Id, false]]],
    )
    assert.ok(existsSync(config))
    execFileSync('cp', ['-a', `${engine.folder}/config`, config])
    execFileSync('mv', [config, `${config}.away`])
    assert.deepEqual(
      (await check('--repair')).findings.map(({ Kind, Subject }) => [Kind, Subject]),
      [['missing-blob', Id]],
    )
    execFileSync('mv', [`${config}.away`, config])
    assert.deepEqual((await check()).findings, [])
    assert.ok(readdirSync(blobs).length > 0)
    assert.match(await cli.ok('system', 'check'), /^Everything/)
  })

  test('a container whose layer is unknown is told of and kept', async () => {
    const { Id } = (await engine.api.json('GET', '/containers/ended/json')) as { Id: string }
    const setParent = (parent: string) =>
      withDatabase((database) => {
        const { parent: before } = database.prepare('SELECT parent FROM active_snapshot WHERE key = ?').get(Id)!
        database.prepare('UPDATE active_snapshot SET parent = ? WHERE key = ?').run(parent, Id)
        return String(before)
      })
    const parent = await setParent(`sha256:${'d'.repeat(64)}`)
    const { code, findings } = await check('--repair')
    await setParent(parent)
    assert.deepEqual(
      [code, findings.map(({ Kind, Subject, Repaired }) => [Kind, Subject, Repaired])],
      [1, [['missing-parent', Id, false]]],
    )
    assert.deepEqual(await check(), { code: 0, findings: [] })
    await cli.ok('start', 'ended')
  })

  test('what is wrong in the database is told of', async () => {
    const value = 'the value that the index has and the table has not'
    await withDatabase((database) => {
      database.exec('CREATE TABLE damaged (value TEXT UNIQUE) STRICT')
      database.prepare('INSERT INTO damaged VALUES (?)').run(value)
    })
    await whileDown((path) => {
      const bytes = readFileSync(path)
      bytes[bytes.lastIndexOf(value)]! ^= 1
      writeFileSync(path, bytes)
    })
    const { code, findings } = await check('--repair')
    await withDatabase((database) => database.exec('DROP TABLE damaged'))
    const [first] = findings
    assert.deepEqual([code, first?.Kind, first?.Subject, first?.Repaired], [1, 'database', 'state.db', false])
    assert.deepEqual(await check(), { code: 0, findings: [] })
  })
})
