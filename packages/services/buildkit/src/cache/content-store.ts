import { invalid, ownValue } from '@berth/base'
import type { CacheStore, Builder } from '@berth/builder'
import { type Descriptor, type Digest, isDigest, maxManifestBytes, mediaTypes, sha256 } from '@berth/oci'
import { grpcCode, GrpcError, sessionMethods, WriteAction } from '@berth/buildkit-protocol'
import type { Session } from '../session/session.ts'

export interface ClientDirectory {
  readonly session: Session
  /** As the client calls it. */
  readonly directory: string
  /** Of the manifest in it that is meant; '' when one is only written. */
  readonly digest: string
  readonly blobs: Builder['blobs']
}

/** Messages towards clients are of 4 MiB at most. */
const pieceBytes = 1 << 20

/** A cache in a directory of the client's: an OCI layout that it serves as a content store. */
export function clientDirectoryStore(at: ClientDirectory): CacheStore {
  const { blobs } = at
  const readManifest = (digest: Digest, signal: AbortSignal) => readVerified(at, digest, maxManifestBytes, signal)
  return {
    manifest: async (signal) => {
      if (!isDigest(at.digest)) throw invalid(`${JSON.stringify(at.digest)} is no digest`)
      const bytes = await readManifest(at.digest, signal)
      return { descriptor: { mediaType: typeOf(bytes), digest: at.digest, size: bytes.length }, bytes }
    },
    manifestOf: readManifest,
    readBlob: ({ digest }, maxBytes, signal) => readVerified(at, digest, maxBytes, signal),
    fetchBlob: async ({ digest, size }, signal) => {
      if (blobs.info(digest)) return
      await blobs.ingest(read(at, digest, signal), { expected: digest, sizeBytes: size, signal })
    },
    putLayer: async ({ descriptor }, signal) => {
      await write(at, descriptor, { source: blobs.open(descriptor.digest), signal })
      return { ...descriptor, mediaType: ownValue(plainTypes, descriptor.mediaType) ?? descriptor.mediaType }
    },
    putBlob: (bytes, signal) => writeBytes(at, bytes, signal),
    putManifest: ({ bytes }, signal) => writeBytes(at, bytes, signal),
  }
}

const plainTypes: Readonly<Record<string, string>> = {
  [mediaTypes.dockerLayerTar]: mediaTypes.layerTar,
  [mediaTypes.dockerLayerGzip]: mediaTypes.layerGzip,
}

function typeOf(bytes: Buffer): string {
  const { mediaType } = JSON.parse(bytes.toString()) as { readonly mediaType?: unknown }
  return typeof mediaType === 'string' ? mediaType : mediaTypes.index
}

/** By which a client tells its content stores apart. */
const metadataOf = ({ directory }: ClientDirectory) => ({ 'buildkit-attachable-store-id': `local:${directory}` })

async function* read(at: ClientDirectory, digest: Digest, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const call = at.session.client.open(sessionMethods.readContent, { metadata: metadataOf(at), signal })
  await call.send({ digest })
  call.end()
  for await (const { data } of call.messages) yield data
}

async function readVerified(
  at: ClientDirectory,
  digest: Digest,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of read(at, digest, signal)) {
    bytes += chunk.length
    if (bytes > maxBytes) throw invalid(`${digest}: larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  const whole = Buffer.concat(chunks)
  if (sha256(whole) !== digest) throw invalid(`the client's ${digest} has another digest`)
  return whole
}

const writeBytes = (at: ClientDirectory, bytes: Buffer, signal: AbortSignal): Promise<void> =>
  write(at, { digest: sha256(bytes), size: bytes.length }, { source: [bytes], signal })

interface Writing {
  readonly source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  readonly signal: AbortSignal
}

/** Writes a blob, unless it is there. Each message is answered before the next one. */
async function write(
  at: ClientDirectory,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  { source, signal }: Writing,
): Promise<void> {
  if (await has(at, digest, signal)) return
  const call = at.session.client.open(sessionMethods.writeContent, { metadata: metadataOf(at), signal })
  const answers = call.messages[Symbol.asyncIterator]()
  const say = async (action: WriteAction, offset: number, data: Uint8Array = new Uint8Array()) => {
    const ref = `berth-cache-${digest}`
    await call.send({ action, ref, total: BigInt(size), expected: digest, offset: BigInt(offset), data })
    if ((await answers.next()).done) throw new GrpcError(grpcCode.unavailable, 'the client took no blob')
  }
  try {
    let offset = 0
    for await (const chunk of source) {
      for (let begin = 0; begin < chunk.length; begin += pieceBytes) {
        const piece = chunk.subarray(begin, begin + pieceBytes)
        await say(WriteAction.WRITE, offset, piece)
        offset += piece.length
      }
    }
    await say(WriteAction.COMMIT, offset)
    call.end()
  } finally {
    call.cancel()
  }
}

async function has(at: ClientDirectory, digest: Digest, signal: AbortSignal): Promise<boolean> {
  try {
    const { client } = at.session
    await client.call(sessionMethods.contentInfo, { digest }, { metadata: metadataOf(at), signal })
    return true
  } catch (error) {
    if (error instanceof GrpcError && error.code === grpcCode.notFound) return false
    throw error
  }
}
