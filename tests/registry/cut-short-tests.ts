import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import {
  type FixtureImage,
  imageArchive,
  imageRegistries,
  type ImageRegistry,
  layerOf,
  readInventory,
  restored,
  startDaemon,
  type StoredImage,
  type TestDaemon,
  until,
} from '@berth/testing'

const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** berthd is killed while it transfers, and its successor comes to the end with what is there already. */
export function cutShortTests(program: keyof typeof imageRegistries): void {
  let daemon: TestDaemon
  let registry: ImageRegistry
  let empty: string[]
  before(async () => {
    daemon = await startDaemon()
    registry = await imageRegistries[program]!(daemon.sandbox)
    await daemon.kill('SIGTERM')
    await daemon.start()
    empty = readInventory(daemon)
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    await daemon?.[Symbol.asyncDispose]()
  })

  const image = (): FixtureImage => ({
    reference: 'x:1',
    layers: [0, 1, 2].map((i) => layerOf([{ path: `f${i}`, content: randomBytes(3_000_000) }])),
    config: { Cmd: ['/a'] },
  })

  async function dieAt(point: string, work: () => Promise<unknown>): Promise<void> {
    await daemon.kill('SIGKILL')
    await daemon.start({ BERTH_FAULT: point })
    const working = work().catch(() => {})
    const late = sleep(20_000, undefined, { ref: false }).then(() => assert.fail(`berthd did not come to ${point}`))
    await Promise.race([daemon.ended(), late])
    await working
    await daemon.start()
  }

  const pull = (path: string) => daemon.api.request('POST', `/images/create?fromImage=${registry.host}/${path}&tag=1`)
  const push = async (path: string): Promise<string> => {
    const headers = { 'X-Registry-Auth': 'e30=' }
    return (await daemon.api.request('POST', `/images/${registry.host}/${path}/push?tag=1`, undefined, { headers }))
      .text
  }
  const isWhole = async () => assert.deepEqual(await daemon.api.json('POST', '/berth/check'), { Findings: [] })

  /** Digests of the blobs that were asked for with `method` since `from` of the requests, once the log tells of `marker`. */
  async function blobsSince(from: number, marker: RegExp): Promise<string[]> {
    const requests = () => registry.requests().slice(from)
    await until(() => requests().some((line) => marker.test(line)), 5000)
    return requests().flatMap((line) => /^GET .*\/blobs\/(sha256:[0-9a-f]+)$/.exec(line)?.[1] ?? [])
  }

  async function goesAway(name: string): Promise<void> {
    await daemon.api.json('DELETE', `/images/${name}:1`)
    await restored(daemon, empty)
  }

  /** Which blobs had come when it was killed: told by what is in the store. */
  const stored = (blobs: readonly string[]): string[] =>
    blobs.filter((digest) => readInventory(daemon).some((line) => line.includes(digest.slice('sha256:'.length))))

  for (const point of ['pull: blob@3', 'unpack: unpacked', 'unpack: renamed', 'pull: unpacked']) {
    test(`a pull cut short at "${point}" is finished without fetching again what was there`, async () => {
      const path = `cut/${point.replace(/[^a-z0-9]+/g, '-')}`
      const added: StoredImage = await registry.add(path, image())
      await dieAt(point, () => pull(path))
      assert.equal((await daemon.api.request('GET', `/images/${registry.host}/${path}:1/json`)).status, 404)
      await isWhole()
      const blobs = [added.configDigest, ...added.layers.map(({ digest }) => digest)]
      const before = stored(blobs)
      assert.ok(before.includes(added.configDigest) || point.startsWith('pull: blob'))
      if (point === 'pull: unpacked') assert.deepEqual(before, blobs)
      const from = registry.requests().length
      const { status, text } = await pull(path)
      assert.equal(status, 200, text)
      assert.match(text, /Downloaded newer image/)
      const asked = await blobsSince(from, /\/manifests\//)
      assert.deepEqual(
        asked.filter((digest) => before.includes(digest)),
        [],
      )
      assert.equal(asked.length <= blobs.length - before.length, true)
      await isWhole()
      await goesAway(`${registry.host}/${path}`)
    })
  }

  test('a pull cut short in the middle of a layer goes on where it was', async () => {
    const layers = [layerOf([{ path: 'large', content: randomBytes(40_000_000) }])]
    const stored = await registry.add('cut/middle', { ...image(), layers }, { gzipLevel: 0 })
    // Chunks have 64 KiB at most.
    await dieAt('pull: chunk@400', () => pull('cut/middle'))
    await isWhole()
    const from = registry.requests().length
    assert.match((await pull('cut/middle')).text, /Downloaded newer image/)
    await blobsSince(from, new RegExp(`^GET .*/blobs/${stored.layers[0]!.digest}`))
    const sentBytes = registry.sentBytes(from)
    assert.ok(sentBytes > 1_000_000 && sentBytes < 35_000_000, `${sentBytes} bytes of 40,000,000 were fetched again`)
    await isWhole()
    await goesAway(`${registry.host}/cut/middle`)
  })

  for (const point of ['push: layer@2', 'push: layers']) {
    test(`a push cut short at "${point}" is finished without sending again what was there`, async () => {
      const path = `cut/${point.replace(/[^a-z0-9]+/g, '-')}`
      const name = `${registry.host}/${path}`
      const loaded = { ...image(), reference: `${name}:1` }
      const archive = Buffer.concat(await Array.fromAsync(imageArchive(loaded)))
      const headers = { 'Content-Type': 'application/x-tar' }
      assert.equal((await daemon.api.request('POST', '/images/load', archive, { headers })).status, 200)
      await dieAt(point, () => push(path))
      await isWhole()
      const said = await push(path)
      const isThere = said.split('\n').filter((line) => line.includes('"status":"Layer already exists"')).length
      assert.ok(isThere >= (point === 'push: layers' ? 3 : 2), said)
      const { layers } = JSON.parse(registry.manifest(path, '1').bytes.toString()) as StoredImage
      const diffIds = layers.map(({ digest }) => sha256(gunzipSync(registry.blob(digest))))
      assert.deepEqual(
        diffIds,
        loaded.layers.map(({ diffId }) => diffId),
      )
      await isWhole()
      await goesAway(name)
    })
  }
}
