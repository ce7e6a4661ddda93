import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { loadFixture, packTar, type Sandbox, startDaemon, type TestDaemon } from '@berth/testing'

let daemon: TestDaemon
const inside = (sandbox: Sandbox, script: string): string => {
  const { file, args, env } = sandbox.enter(['sh', '-c', script])
  return execFileSync(file, args, { env, encoding: 'utf8' })
}

before(async () => {
  daemon = await startDaemon({
    prepare: (sandbox, folder) => {
      mkdirSync(join(folder, 'data'))
      inside(sandbox, `mount -t tmpfs -o size=32m tmpfs ${join(folder, 'data')}`)
    },
  })
  await loadFixture(daemon.api, 'busybox')
})
after(() => daemon?.[Symbol.asyncDispose]())

const noSpace = /no space left|disk is full|ENOSPC/i
const fill = (): void =>
  void inside(
    daemon.sandbox,
    `cd ${daemon.dataRoot}; for size in 64k 4k; do dd if=/dev/zero of=ballast.$size bs=$size 2>/dev/null; done; true`,
  )
const free = (): void => void inside(daemon.sandbox, `rm ${daemon.dataRoot}/ballast.*`)

async function runToEnd(script: string): Promise<number> {
  const { Id } = (await daemon.api.json('POST', '/containers/create', {
    Image: 'busybox',
    Cmd: ['sh', '-c', script],
  })) as { Id: string }
  try {
    await daemon.api.json('POST', `/containers/${Id}/start`)
    return ((await daemon.api.json('POST', `/containers/${Id}/wait`)) as { StatusCode: number }).StatusCode
  } finally {
    await daemon.api.request('DELETE', `/containers/${Id}?force=1`)
  }
}

test('a full disk fails what writes, by name, and nothing else', async () => {
  const { api } = daemon
  await api.json('POST', '/containers/create?name=steady', {
    Image: 'busybox',
    Cmd: ['sh', '-c', 'while true; do echo tick; sleep 0.05; done'],
  })
  await api.json('POST', '/containers/steady/start')
  fill()
  await assert.rejects(loadFixture(api, 'hello-world'), /no space left|disk is full|ENOSPC/i)
  const create = await api.request('POST', '/containers/create', { Image: 'busybox', Cmd: ['true'] })
  if (create.status !== 201) assert.match(create.text, /no space left|disk is full|ENOSPC/i)
  assert.equal((await api.request('GET', '/containers/json?all=1')).status, 200)
  const steady = (await api.json('GET', '/containers/steady/json')) as { State: { Running: boolean } }
  assert.equal(steady.State.Running, true)
})

test('on a full disk containers end, stop and go, and their exits are known', async () => {
  const { api } = daemon
  free()
  for (const [name, script] of [
    ['ending', 'while [ ! -e /dev/shm/go ]; do sleep 0.05; done; exit 5'],
    ['stopped', 'trap "exit 0" TERM; while true; do sleep 0.05; done'],
  ] as const) {
    const config = { Image: 'busybox', Cmd: ['sh', '-c', script] }
    await api.json('POST', `/containers/create?name=${name}`, config)
    await api.json('POST', `/containers/${name}/start`)
  }
  fill()
  const ended = api.json('POST', '/containers/ending/wait') as Promise<{ StatusCode: number }>
  const exec = { Cmd: ['touch', '/dev/shm/go'] }
  const { Id } = (await api.json('POST', '/containers/ending/exec', exec)) as { Id: string }
  await api.request('POST', `/exec/${Id}/start`, { Detach: true })
  assert.equal((await ended).StatusCode, 5)
  await api.json('POST', '/containers/stopped/stop')
  for (const name of ['ending', 'stopped']) {
    const { status, text } = await api.request('DELETE', `/containers/${name}`)
    assert.equal(status, 204, text)
  }
})

test('on a full disk a commit and an import fail by name and leave no image', async () => {
  const { api } = daemon
  fill()
  const commit = await api.request('POST', '/commit?container=steady&repo=half')
  assert.match(commit.text, noSpace)
  assert.equal(commit.status, 500)
  const rootfs = packTar([{ path: 'big', content: Buffer.alloc(2 << 20) }])
  const answer = await api.request('POST', '/images/create?fromSrc=-&repo=half', rootfs, {
    headers: { 'Content-Type': 'application/x-tar' },
  })
  assert.match(answer.text, noSpace)
  assert.equal((await api.request('GET', '/images/half/json')).status, 404)
  const { State: state } = (await api.json('GET', '/containers/steady/json')) as { State: { Status: string } }
  assert.equal(state.Status, 'running')
  const saved = await api.open('GET', '/images/busybox/get')
  assert.equal(saved.status, 200)
  assert.ok((await buffer(saved.body)).length > 100_000)
})

test('on a full disk a volume is not half filled, and is filled once there is space', async () => {
  const { api } = daemon
  free()
  const content = Buffer.alloc(1 << 20, 'x')
  const layer = packTar([
    { path: 'data/a', content },
    { path: 'data/b', content },
  ])
  const headers = { 'Content-Type': 'application/x-tar' }
  const imported = await api.request('POST', '/images/create?fromSrc=-&repo=with-data', layer, { headers })
  assert.equal(imported.status, 200, imported.text)
  const body = { Image: 'with-data', Cmd: ['/x'], HostConfig: { Binds: ['to-fill:/data'] } }
  await api.json('POST', '/volumes/create', { Name: 'to-fill' })
  fill()
  inside(daemon.sandbox, `truncate -s -1m ${daemon.dataRoot}/ballast.64k`)
  const refused = await api.request('POST', '/containers/create?name=filler', body)
  assert.equal(refused.status, 500, refused.text)
  assert.match(refused.text, noSpace)
  const entries = () => inside(daemon.sandbox, `cd ${daemon.dataRoot}/volumes/to-fill; find . | sort | tr '\\n' ' '`)
  assert.equal(entries(), '. ./_data ')
  assert.equal((await api.request('GET', '/containers/filler/json')).status, 404)
  free()
  await api.json('POST', '/containers/create?name=filler', body)
  assert.equal(entries(), '. ./_data ./_data/a ./_data/b ')
  await api.json('DELETE', '/containers/filler')
  await api.json('DELETE', '/volumes/to-fill')
  await api.json('DELETE', '/images/with-data')
  fill()
})

test('after space is freed everything works, and nothing is corrupt', async () => {
  free()
  const { api } = daemon
  assert.equal(await runToEnd('exit 3'), 3)
  await loadFixture(api, 'hello-world')
  await api.json('POST', '/containers/steady/kill')
  await api.json('DELETE', '/containers/steady?force=1')
  await daemon.kill('SIGTERM')
  await daemon.start()
  assert.equal(await runToEnd('cat /etc/passwd >/dev/null'), 0)
  const images = (await api.json('GET', '/images/json')) as { RepoTags: string[] }[]
  assert.deepEqual(images.flatMap(({ RepoTags: tags }) => tags).toSorted(), ['busybox:latest', 'hello-world:latest'])
})

test('a container that fills the disk hears of it and harms no other', async () => {
  assert.notEqual(await runToEnd('dd if=/dev/zero of=/big bs=64k'), 0)
  assert.equal(await runToEnd('true'), 0)
})
