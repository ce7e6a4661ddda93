import type { Http2Session, ServerSessionOptions, SessionOptions } from 'node:http2'

/** What one message may have towards the engine; clients of sessions take 4 MiB. */
export const maxMessageBytes = 16 << 20

/** Bytes on their way of one connection before the other side has to wait. */
const connectionWindowBytes = 8 << 20

/**
 * Of HTTP/2 connections on both sides. Headers are large: a client's whole `.dockerignore` is among them. Node ends
 * connections that reset streams in bursts, or send what is malformed, by itself.
 */
export const http2Options = {
  settings: {
    initialWindowSize: 1 << 20,
    maxConcurrentStreams: 1000,
    enablePush: false,
    maxHeaderListSize: 1 << 20,
  },
  maxSessionMemory: 64,
  maxHeaderListPairs: 10_000,
  maxSendHeaderBlockLength: 1 << 20,
} satisfies SessionOptions & ServerSessionOptions

/** Bun gives nothing back of a window that was made larger: what comes in would stop when it is used up. */
export function enlargeWindow(session: Http2Session): void {
  if (!('bun' in process.versions)) session.setLocalWindowSize(connectionWindowBytes)
}
