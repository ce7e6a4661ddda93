import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadFixture, startDaemon, type TestDaemon, until } from '@berth/testing'
import { BuildxClient } from '../peers/buildx-client.ts'

let daemon: TestDaemon
let client: BuildxClient

const maxBytes = 3 << 20

before(async () => {
  daemon = await startDaemon({
    argsIn: (folder) => {
      const path = join(folder, 'daemon.json')
      const policy = [{ all: true, maxUsedSpace: `${maxBytes}b` }]
      writeFileSync(path, JSON.stringify({ builder: { gc: { policy }, entitlements: { 'network-host': false } } }))
      return ['--config-file', path]
    },
  })
  await loadFixture(daemon.api, 'busybox')
  client = new BuildxClient(daemon)
})
after(async () => {
  client?.[Symbol.dispose]()
  await daemon?.[Symbol.asyncDispose]()
})

interface Usage {
  readonly ID: string
  readonly Type: string
  readonly Size: number
  readonly Description: string
}

async function usage(): Promise<Usage[]> {
  const answer = (await daemon.api.json('GET', '/system/df?type=build-cache')) as { BuildCache: Usage[] }
  return answer.BuildCache
}

const total = (records: readonly Usage[]): number => records.reduce((sum, { Size }) => sum + Size, 0)

const megabyte = 'dd if=/dev/zero bs=1k count=1024 2>/dev/null'

/** Builds without an image: what is kept is the cache's alone. */
async function build(dockerfile: string): Promise<string> {
  const folder = client.context({ Dockerfile: dockerfile })
  return (await client.ok(folder, ['build', '--progress', 'plain', '-o', 'type=cacheonly', '.'])).stderr
}

test('the cache never stays above its ceiling, and what was used last is what stays', async () => {
  for (let i = 0; i < 6; i++) await build(`FROM busybox\nRUN echo ${i} > /n; ${megabyte} > /f`)
  await until(async () => total(await usage()) <= maxBytes)
  const left = (await usage()).map(({ Description }) => /echo (\d)/.exec(Description)?.[1])
  assert.deepEqual(left, ['5', '4'])
  assert.match(await build(`FROM busybox\nRUN echo 5 > /n; ${megabyte} > /f`), /CACHED/)
})

test('what a running build uses is not evicted, however much it is', async () => {
  await daemon.api.json('POST', '/build/prune?all=1')
  const steps = [1, 2, 3, 4, 5].map((i) => `RUN echo own${i} > /n${i}; ${megabyte} > /f${i}`).join('\n')
  const building = build(`FROM busybox\n${steps}\nRUN sleep 2; cat /n1 /n5 > /all`)
  await until(async () => (await usage()).length === 5)
  const pruned = (await daemon.api.json('POST', '/build/prune?all=1')) as { CachesDeleted: string[] | null }
  assert.equal(pruned.CachesDeleted, null)
  assert.equal((await usage()).length, 5)
  await building
  await until(async () => total(await usage()) <= maxBytes)
})

test('cache mounts count, are listed, and are pruned by what they are', async () => {
  await daemon.api.json('POST', '/build/prune?all=1')
  await build(`FROM busybox\nRUN --mount=type=cache,target=/c,id=kept ${megabyte} > /c/f; echo > /x`)
  const [mount] = (await usage()).filter(({ Type }) => Type === 'exec.cachemount')
  assert.equal(mount?.Size, 1 << 20)
  assert.match(mount.Description, /^cached mount \/c from exec \/bin\/sh -c .* with id "\/kept"$/)
  const { stdout } = await client.ok(client.folder, ['buildx', 'du', '--filter', 'type=exec.cachemount'])
  assert.match(stdout, new RegExp(`^${mount.ID}\\*\\s+true\\s+1.049MB`, 'm'))
  const pruned = await client.ok(client.folder, ['buildx', 'prune', '-f', '--filter', 'type=exec.cachemount'])
  assert.match(pruned.stdout, /Total:\s+1.049MB/)
  const left = await usage()
  assert.deepEqual(
    left.map(({ Type }) => Type),
    ['regular'],
  )
  assert.match(await build('FROM busybox\nRUN --mount=type=cache,target=/c,id=kept ls /c; echo again'), /again/)
})

test('filters: by id, by how long unused; an unknown one is refused in Docker’s words', async () => {
  await daemon.api.json('POST', '/build/prune?all=1')
  await build('FROM busybox\nRUN echo a > /a\nRUN echo b > /b')
  const [b] = await usage()
  const prune = (filters: unknown) =>
    daemon.api.request('POST', `/build/prune?all=1&filters=${encodeURIComponent(JSON.stringify(filters))}`)
  assert.match((await prune({ until: ['1h'] })).text, /"CachesDeleted":null/)
  assert.match((await prune({ id: [b?.ID] })).text, new RegExp(`"CachesDeleted":\\["${b?.ID}"\\]`))
  assert.equal((await usage()).length, 1)
  const { status, text } = await prune({ color: ['red'] })
  assert.deepEqual(
    [status, JSON.parse(text)],
    [400, { message: "failed to prune build cache: invalid filter 'color'" }],
  )
})

test('cache mounts: private ones are nobody else’s meanwhile, locked ones wait, others begin as they are told', async () => {
  const write = 'test ! -e /c/busy && touch /c/busy && sleep 1 && rm /c/busy'
  const two = (mount: string) =>
    `FROM busybox AS a\nRUN --mount=${mount} ${write}; echo a > /r\nFROM busybox\nRUN --mount=${mount} ${write}; echo b > /r\nCOPY --from=a /r /s`
  await build(two('type=cache,target=/c,id=p,sharing=private'))
  await build(two('type=cache,target=/c,id=l,sharing=locked'))
  const seeded = await build(
    'FROM busybox AS seed\nRUN mkdir /s && echo sown > /s/f\nFROM busybox\nRUN --mount=type=cache,target=/c,id=s,from=seed,source=/s cat /c/f',
  )
  assert.match(seeded, /sown/)
})

test('daemon.json: the network of the host can be withheld; what is wrong is named', async () => {
  const folder = client.context({ Dockerfile: 'FROM busybox\nRUN --network=host true' })
  const refused = await client.run(folder, ['build', '--allow', 'network.host', '.'])
  assert.match(refused.stderr, /granting entitlement network.host is not allowed by build daemon configuration/)
  const rules = (await client.ok(folder, ['buildx', 'inspect'])).stdout
  assert.match(rules, /GC Policy rule#0:\n All:\s+true\n Max Used Space: 3MiB/)
})

test('limits that are none are kept out by a reload, and builds go on within the old ones', async () => {
  const configFile = join(dirname(daemon.dataRoot), 'daemon.json')
  const before = readFileSync(configFile, 'utf8')
  writeFileSync(configFile, JSON.stringify({ builder: { gc: { defaultKeepStorage: 'much' } } }))
  process.kill(daemon.pid, 'SIGHUP')
  await until(() => /configuration kept: the new one is wrong.*invalid size: 'much'/.test(daemon.log()))
  await build(`FROM busybox\nRUN echo reloaded > /n; ${megabyte} > /f`)
  writeFileSync(configFile, before)
})
