import { Readable } from 'node:stream'
import { sessionMethods } from '@berth/buildkit-protocol'
import type { Session } from './session.ts'

/** Where a client's own stream is: `http://buildkit-session/ID`. */
export const sessionHost = 'buildkit-session'

/** A stream that the client offers under a URL of its session. */
export function openUpload({ client }: Session, url: URL, signal: AbortSignal): Readable {
  const metadata = { urlpath: url.pathname, urlhost: url.host }
  const call = client.open(sessionMethods.upload, { metadata, signal })
  // The client only sends.
  call.end()
  const chunks = (async function* () {
    for await (const { data } of call.messages) yield Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  })()
  return Readable.from(chunks, { objectMode: false })
}
