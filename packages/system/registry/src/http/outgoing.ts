export type Headers = Readonly<Record<string, string>>

/** One request, as it goes out. */
export interface Outgoing {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers?: Headers
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>
  /** Length of a body that is a stream; absent: it is sent in chunks. */
  readonly bodyBytes?: number
  readonly signal?: AbortSignal
  readonly verifiesTls?: boolean
}
