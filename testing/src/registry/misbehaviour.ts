/** What a request is about. `ping` is `/v2/`. */
export type RequestSubject =
  | 'ping'
  | 'token'
  | 'manifest'
  | 'blob'
  | 'upload'
  | 'tags'
  | 'referrers'
  | 'catalog'
  | 'search'
  | 'unknown'

/** One way to answer other than a registry should. */
export type Misbehaviour =
  /** Another answer altogether. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string | Buffer
    }
  /** Headers replaced; undefined removes one. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string | undefined>> }
  /** Other bytes, with their own length, under the headers of the right answer. */
  | { readonly kind: 'body'; readonly body: string | Buffer }
  /** The last byte is another. */
  | { readonly kind: 'corrupt' }
  /** The whole length is promised, so much is sent, and the connection ends. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** So much is promised and sent. */
  | { readonly kind: 'shorten'; readonly toBytes: number }
  /** So many zeros follow the right bytes; the length says so. */
  | { readonly kind: 'lengthen'; readonly byBytes: number }
  /** The right bytes under a `Content-Length` that lies. */
  | { readonly kind: 'declare'; readonly lengthBytes: number }
  /** The right bytes, and then zeros until the client hangs up; no length is told. */
  | { readonly kind: 'endless' }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** So much is sent; then nothing, on an open connection. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** To `to`, or to the same path on that origin when it ends without a path. */
  | { readonly kind: 'redirect'; readonly to: string; readonly status?: number }
  /** A range is answered by the whole, with 200. */
  | { readonly kind: 'ignoreRange' }
  /** The connection ends without an answer. */
  | { readonly kind: 'hangUp' }
  /** The answer comes when the promise is settled. */
  | { readonly kind: 'wait'; readonly until: Promise<unknown> }

/** When a misbehaviour applies; what is absent matches everything. */
export interface MisbehaviourRule {
  readonly how: Misbehaviour
  readonly on?: RequestSubject
  readonly method?: string
  /** In the path and query of the request: a digest, a tag, a repository. */
  readonly path?: string | RegExp
  /** The first so many matching requests are answered as they should. */
  readonly after?: number
  /** So many are misbehaved at; default: all. */
  readonly times?: number
}

export interface RequestFacts {
  readonly subject: RequestSubject
  readonly method: string
  readonly url: string
}

/** The rules in force; each counts for itself. */
export class Misbehaviours {
  readonly #rules = new Set<{ readonly rule: MisbehaviourRule; seen: number }>()

  add(rule: MisbehaviourRule): Disposable {
    const entry = { rule, seen: 0 }
    this.#rules.add(entry)
    return { [Symbol.dispose]: () => void this.#rules.delete(entry) }
  }

  /** Those that apply to this request, in the order in which they were added. */
  take(request: RequestFacts): Misbehaviour[] {
    const found: Misbehaviour[] = []
    for (const entry of this.#rules) {
      if (!matches(entry.rule, request)) continue
      const turn = entry.seen++ - (entry.rule.after ?? 0)
      if (turn >= 0 && turn < (entry.rule.times ?? Infinity)) found.push(entry.rule.how)
    }
    return found
  }
}

function matches(rule: MisbehaviourRule, { subject, method, url }: RequestFacts): boolean {
  if (rule.on !== undefined && rule.on !== subject) return false
  if (rule.method !== undefined && rule.method !== method) return false
  if (rule.path === undefined) return true
  return typeof rule.path === 'string' ? url.includes(rule.path) : rule.path.test(url)
}

/** What a proxy or a hotel's network answers to everything. */
export const htmlPage = (status = 200): Misbehaviour => ({
  kind: 'answer',
  status,
  headers: { 'Content-Type': 'text/html; charset=utf-8' },
  body: `<!DOCTYPE html><html><head><title>${status}</title></head><body><h1>Please log in</h1></body></html>`,
})

export const tooManyRequests = (retryAfter?: string): Misbehaviour => ({
  kind: 'answer',
  status: 429,
  headers: { 'Content-Type': 'application/json', ...(retryAfter !== undefined && { 'Retry-After': retryAfter }) },
  body: '{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}',
})

/** A manifest of schema 1, as registries of 2014 have them. */
export const schema1Manifest: Misbehaviour = {
  kind: 'answer',
  status: 200,
  headers: { 'Content-Type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' },
  body: JSON.stringify({
    schemaVersion: 1,
    name: 'library/old',
    tag: 'latest',
    architecture: 'amd64',
    fsLayers: [{ blobSum: `sha256:${'a'.repeat(64)}` }],
    history: [{ v1Compatibility: '{"id":"1"}' }],
  }),
}
