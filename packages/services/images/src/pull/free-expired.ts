import type { Digest } from '@berth/oci'
import type { ImagesContext } from '../context.ts'
import type { UnfinishedPulls } from './unfinished-pulls.ts'

/** Frees what pulls that were cut short have left for longer than it is kept. Returns the bytes. */
export async function freeExpired(
  { content, snapshots, reclaimer }: Pick<ImagesContext, 'content' | 'snapshots' | 'reclaimer'>,
  unfinished: UnfinishedPulls,
): Promise<number> {
  const { blobs, chainIds } = unfinished.expire()
  const blobSizes = new Map(blobs.map((digest) => [digest, content.info(digest)?.sizeBytes ?? 0]))
  const layerSizes = sizesOf(snapshots.listCommitted(), new Set(chainIds))
  await reclaimer.free(blobs, chainIds)
  const freed = [...blobSizes].filter(([digest]) => !content.info(digest))
  const unpacked = [...layerSizes].filter(([chainId]) => !snapshots.has(chainId))
  const bytes = [...freed, ...unpacked].reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0)
  return bytes + (await content.sweepPartials())
}

const sizesOf = (
  committed: readonly { readonly chainId: Digest; readonly sizeBytes: number }[],
  wanted: ReadonlySet<Digest>,
): Map<Digest, number> =>
  new Map(committed.filter(({ chainId }) => wanted.has(chainId)).map(({ chainId, sizeBytes }) => [chainId, sizeBytes]))
