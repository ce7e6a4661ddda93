import { silentLogger } from '@berth/base'
import { openDatabase } from '@berth/database'
import { createEvents } from '@berth/events'
import { openStorage } from '@berth/storage'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { openImages } from '../open-images.ts'

/** The image service as the engine builds it, on `root`. */
export async function openAll(root: string) {
  const database = openDatabase(join(root, 'state.db'))
  const storage = await openStorage({ root, database, logger: silentLogger })
  const { content, snapshots, leases } = storage
  const images = await openImages({
    database,
    content,
    snapshots,
    leases,
    events: createEvents(),
    logger: silentLogger,
  })
  storage.addRoots(() => images.gcRoots())
  return {
    storage,
    images,
    content,
    snapshots,
    async [Symbol.asyncDispose]() {
      await images[Symbol.asyncDispose]()
      await storage[Symbol.asyncDispose]()
      database[Symbol.dispose]()
    },
  }
}

// Run as a program, to be killed in the middle: loads the archive and says when it is done.
if (import.meta.main) {
  const [root = '', archive = ''] = process.argv.slice(2)
  await using all = await openAll(root)
  process.send?.('open')
  await all.images.load(createReadStream(archive), { quiet: true }, () => {})
  process.send?.('loaded')
}
