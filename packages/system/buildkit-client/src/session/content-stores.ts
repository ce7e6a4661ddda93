import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '@berth/base'
import {
  type Call,
  type GrpcRouter,
  grpcCode,
  GrpcError,
  type ServerChannel,
  sessionMethods,
  WriteAction,
} from '@berth/buildkit-protocol'
import { isDigest } from '@berth/oci'
import type { SessionService } from './open-session.ts'

const pieceBytes = 1 << 20

/** Lets the engine read and write blobs of OCI layouts, by the names that it knows them by: caches in directories. */
export function contentStoresService(stores: ReadonlyMap<string, string>): SessionService {
  const storeOf = (call: Call): string => {
    const name = call.values('buildkit-attachable-store-id')[0] ?? ''
    const directory = stores.get(name)
    if (directory === undefined) throw new GrpcError(grpcCode.notFound, `no content store ${name}`)
    return directory
  }
  return (router: GrpcRouter) => {
    router.unary(sessionMethods.contentInfo, async ({ digest }, call) => {
      const path = blobPath(storeOf(call), digest)
      return { info: { digest, size: BigInt(sizeOf(path, digest)) } }
    })
    router.stream(sessionMethods.readContent, async (channel) => {
      for await (const { digest, offset, size } of channel.messages) {
        const path = blobPath(storeOf(channel), digest)
        const end = size > 0n ? Number(offset + size) : sizeOf(path, digest)
        for (const piece of readRange(path, Number(offset), end)) await channel.send(piece)
        return
      }
    })
    router.stream(sessionMethods.writeContent, (channel) => receiveBlob(channel, storeOf(channel)))
    return [sessionMethods.contentInfo.path, sessionMethods.readContent.path, sessionMethods.writeContent.path]
  }
}

function blobPath(directory: string, digest: string): string {
  if (!isDigest(digest)) throw new GrpcError(grpcCode.invalidArgument, `invalid digest ${JSON.stringify(digest)}`)
  return join(directory, 'blobs', ...digest.split(':'))
}

function sizeOf(path: string, digest: string): number {
  try {
    return statSync(path).size
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new GrpcError(grpcCode.notFound, `content ${digest}: not found`)
    throw error
  }
}

function* readRange(path: string, begin: number, end: number): Generator<{ offset: bigint; data: Buffer }> {
  const file = openSync(path, 'r')
  try {
    for (let at = begin; at < end;) {
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, end - at))
      const bytes = readSync(file, piece, 0, piece.length, at)
      if (bytes === 0) return
      yield { offset: BigInt(at), data: piece.subarray(0, bytes) }
      at += bytes
    }
  } finally {
    closeSync(file)
  }
}

type WriteChannel = ServerChannel<typeof sessionMethods.writeContent.input, typeof sessionMethods.writeContent.output>

/** Takes one blob; it is there when it is whole and has the digest that was told. Each message is answered. */
async function receiveBlob(channel: WriteChannel, directory: string): Promise<void> {
  const ingest = join(directory, 'ingest')
  mkdirSync(ingest, { recursive: true })
  const path = join(ingest, `${process.pid}-${Math.random().toString(36).slice(2)}`)
  const file = openSync(path, 'wx', 0o644)
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for await (const { action, expected, data, total } of channel.messages) {
      if (data.length > 0) {
        for (let at = 0; at < data.length;) at += writeSync(file, data, at)
        hash.update(data)
        bytes += data.length
      }
      const digest = action === WriteAction.COMMIT ? `sha256:${hash.copy().digest('hex')}` : ''
      if (action === WriteAction.COMMIT) {
        if (expected !== '' && expected !== digest) {
          throw new GrpcError(grpcCode.invalidArgument, `unexpected digest ${digest}, expected ${expected}`)
        }
        const place = blobPath(directory, digest)
        mkdirSync(join(place, '..'), { recursive: true })
        renameSync(path, place)
      }
      await channel.send({ action, digest, offset: BigInt(bytes), total })
    }
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
}
