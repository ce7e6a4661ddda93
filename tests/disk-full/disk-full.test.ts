import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadFixture, type Sandbox, startDaemon, type TestDaemon } from '@berth/testing'

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

const fill = (): void =>
  void inside(daemon.sandbox, `dd if=/dev/zero of=${daemon.dataRoot}/ballast bs=64k 2>/dev/null || true`)
const free = (): void => void inside(daemon.sandbox, `rm ${daemon.dataRoot}/ballast`)

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
