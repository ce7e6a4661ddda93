import type { Http2Stream } from 'node:http2'

/** Messages that are sent in one go share a frame of HTTP/2. */
export function corkForTick(stream: Http2Stream): void {
  if (stream.writableCorked > 0) return
  stream.cork()
  process.nextTick(() => stream.uncork())
}
