import type { Container } from './container.ts'
import type { SizeInfo } from './containers.ts'
import type { Context } from './context.ts'
import { isAlive } from './stop.ts'

/** Bytes of the writable layer alone, and with the image's layers under it. While nothing runs there they are kept. */
export async function sizeOf(context: Context, container: Container): Promise<SizeInfo> {
  const sizeRwBytes = await context.snapshots.usage(container.id, { isAtRest: !isAlive(container) })
  const image = await context.images.resolve(container.imageId).catch(() => undefined)
  return { sizeRwBytes, sizeRootFsBytes: sizeRwBytes + (image?.sizeBytes ?? 0) }
}
