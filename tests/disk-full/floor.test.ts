// A floor of free space: loads, imports and commits are refused before they begin, everything else goes on.
import { loadFixture, packTar, startDaemon, type TestDaemon } from '@berth/testing'
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

let daemon: TestDaemon
let configFile: string

const configure = (floor: string): void => writeFileSync(configFile, JSON.stringify({ 'min-free-space': floor }))

before(async () => {
  daemon = await startDaemon({
    argsIn: (folder) => {
      configFile = join(folder, 'daemon.json')
      configure('0')
      return ['--config-file', configFile]
    },
  })
  await loadFixture(daemon.api, 'busybox')
})
after(() => daemon?.[Symbol.asyncDispose]())

/** A reload takes the new floor; the event says when. */
async function reload(floor: string): Promise<void> {
  configure(floor)
  const since = Date.now() / 1000
  process.kill(daemon.pid, 'SIGHUP')
  const until = AbortSignal.timeout(10_000)
  for (;;) {
    const now = Math.ceil(Date.now() / 1000)
    const { text } = await daemon.api.request('GET', `/events?since=${since}&until=${now}`)
    if (text.includes('"reload"')) return
    until.throwIfAborted()
  }
}

test('below the floor loads, imports and commits are refused by name, and containers still run', async () => {
  const { api } = daemon
  await reload('900t')
  await assert.rejects(
    loadFixture(api, 'hello-world'),
    /loading an image: .*no space left on device: .*--min-free-space/,
  )
  const rootfs = packTar([{ path: 'file', content: 'x' }])
  const headers = { 'Content-Type': 'application/x-tar' }
  const imported = await api.request('POST', '/images/create?fromSrc=-&repo=half', rootfs, { headers })
  assert.match(imported.text, /importing an image: .*no space left on device/)
  const { Id } = (await api.json('POST', '/containers/create', { Image: 'busybox', Cmd: ['true'] })) as { Id: string }
  await api.json('POST', `/containers/${Id}/start`)
  const commit = await api.request('POST', `/commit?container=${Id}&repo=half`)
  assert.equal(commit.status, 500)
  assert.match(commit.text, new RegExp(`committing ${Id}: .*no space left on device`))
  assert.equal((await api.request('GET', '/images/half/json')).status, 404)
  await api.json('DELETE', `/containers/${Id}?force=1`)
})

test('a reload lowers the floor, and what was refused is done', async () => {
  await reload('1%')
  await loadFixture(daemon.api, 'hello-world')
})

test('a floor that is no size ends the daemon with words', async () => {
  await daemon.kill('SIGTERM')
  configure('lots')
  await assert.rejects(daemon.start())
  assert.match(daemon.log(), /invalid --min-free-space: "lots" is neither a size/)
  configure('0')
  await daemon.start()
})
