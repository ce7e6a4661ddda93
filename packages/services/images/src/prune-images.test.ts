import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chainIds, type Digest, sha256 } from '@berth/oci'
import { type ImageRecord, ImageStore } from './image-store.ts'
import { setUp } from './testing/fixture.ts'

const digestOf = (text: string): Digest => sha256(Buffer.from(text))

/** One of many without a name, which share all layers but the topmost. */
function untaggedImage(number: number): ImageRecord {
  const diffIds = [...Array.from({ length: 9 }, (_, i) => digestOf(`base ${i}`)), digestOf(`top ${number}`)]
  return {
    id: digestOf(`image ${number}`),
    manifest: { mediaType: 'm', digest: digestOf(`manifest ${number}`), size: 1 },
    config: { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: diffIds } },
    layers: diffIds.map((digest) => ({ mediaType: 'l', digest, size: 1 })),
    layerSizes: diffIds.map(() => 1),
    parent: '',
    lastTaggedAt: '',
  }
}

test('prune() of many images lets others work between them, and asks for all of them together what others keep', async (t) => {
  const count = 300
  const { database, reopen } = await setUp(t)
  const records = Array.from({ length: count }, (_, i) => untaggedImage(i))
  new ImageStore(database).commit(records.map((image) => ({ kind: 'putImage', image })))
  const images = await reopen()
  t.after(() => images[Symbol.asyncDispose]())
  const base = chainIds(records[0]!.config.rootfs.diff_ids)
  let questions = 0
  images.spare(() => {
    questions++
    return { blobs: [], chainIds: base.slice(0, 3) }
  })
  let [seen, mostAtATime] = [count, 0]
  const watch = () => {
    mostAtATime = Math.max(mostAtATime, seen - images.count)
    seen = images.count
    if (seen > 0) setImmediate(watch)
  }
  setImmediate(watch)
  const { deleted, reclaimedBytes } = await images.prune({ dangling: ['true'] })
  assert.deepEqual([images.count, deleted.length, reclaimedBytes], [0, 2 * count + 6, count + 6])
  assert.deepEqual(deleted.slice(-8), [
    { Deleted: records.at(-1)!.id },
    ...chainIds(records.at(-1)!.config.rootfs.diff_ids)
      .slice(3)
      .toReversed()
      .map((Deleted) => ({ Deleted })),
  ])
  assert.ok(mostAtATime <= 20, `${mostAtATime} images were removed at once`)
  assert.ok(questions <= count / 10, `${questions} times was asked what others keep`)
})
