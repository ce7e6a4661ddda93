import { decompress, readTar } from '@berth/archive'
import { codeOf, conflict, invalid } from '@berth/base'
import { chainId, type Digest, Digester } from '@berth/oci'
import type { LayerSource, Snapshots } from '@berth/storage'
import { createReadStream, openSync, type ReadStream } from 'node:fs'

/** Snapshots that only count: what is unpacked is read and verified, and its files' sizes are summed. */
export class FakeSnapshots implements Snapshots {
  readonly driver = 'fake'
  readonly unpacked: Digest[] = []
  readonly #committed = new Map<Digest, { parent: Digest | undefined; sizeBytes: number }>()
  readonly #active = new Map<string, Digest | undefined>()

  has(id: Digest): boolean {
    return this.#committed.has(id)
  }

  async unpack(parent: Digest | undefined, layer: LayerSource) {
    const digester = new Digester()
    const sizeBytes = await sizeOf(digested(decompress(read(layer)), digester))
    const diffId = digester.digest()
    if (layer.diffId && layer.diffId !== diffId)
      throw invalid(`layer has the diff id ${diffId}, expected ${layer.diffId}`)
    const id = parent === undefined ? diffId : chainId([parent, diffId])
    this.unpacked.push(id)
    this.#committed.set(id, { parent, sizeBytes })
    return { chainId: id, diffId, sizeBytes }
  }

  async removeCommitted(id: Digest): Promise<void> {
    const parents = [...this.#active.values(), ...this.#committed.values().map(({ parent }) => parent)]
    if (parents.includes(id)) throw conflict(`snapshot ${id} has children`)
    this.#committed.delete(id)
  }

  async usage(key: string): Promise<number> {
    return this.#committed.get(key as Digest)?.sizeBytes ?? 0
  }

  async prepare(key: string, parent: Digest | undefined): Promise<void> {
    this.#active.set(key, parent)
  }

  async remove(key: string): Promise<void> {
    this.#active.delete(key)
  }

  listCommitted() {
    return this.#committed
      .entries()
      .map(([id, { parent, sizeBytes }]) => ({ chainId: id, parent, sizeBytes }))
      .toArray()
  }

  commit = unused
  listActive = () => [...this.#active.keys()]
  mount = unused
  unmount = unused
  isMounted = () => false
  changes = unused
  diff = unused
  copyDirectory = unused
  hasDirectory = unused
  exportTree = unused
  directories = () => ({})
}

function unused(): never {
  throw new Error('not a part of this fake')
}

/** The file is opened at once: a moment later it may have been moved. */
function read({ path, movedTo = path }: LayerSource): ReadStream {
  try {
    return createReadStream('', { fd: openSync(path, 'r') })
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return createReadStream('', { fd: openSync(movedTo, 'r') })
  }
}

async function* digested(source: AsyncIterable<Buffer>, digester: Digester): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    digester.update(chunk)
    yield chunk
  }
}

async function sizeOf(tar: AsyncIterable<Buffer>): Promise<number> {
  let sizeBytes = 0
  for await (const { entry } of readTar(tar)) sizeBytes += entry.sizeBytes
  return sizeBytes
}
