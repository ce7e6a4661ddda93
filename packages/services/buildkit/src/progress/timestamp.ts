import type { MessageInitShape } from '@bufbuild/protobuf'
import type { TimestampSchema } from '@berth/buildkit-protocol'

/** A moment, in milliseconds since the epoch, as messages have it. */
export function timestamp(ms: number): MessageInitShape<typeof TimestampSchema> {
  const seconds = Math.floor(ms / 1000)
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) }
}

/** Now, finer than a millisecond: clients sort by it. */
export const now = (): MessageInitShape<typeof TimestampSchema> => timestamp(performance.timeOrigin + performance.now())
