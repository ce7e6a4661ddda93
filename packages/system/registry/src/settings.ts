/** One way to reach registries: shared by everything that talks to them. */
export interface RegistrySettings {
  /** Hosts (`host`, `host:port`) and networks (CIDR) that may do without TLS or with a certificate of nobody's. */
  readonly insecure: readonly string[]
  readonly mirrors: readonly Mirror[]
  /** Directories of `<host[:port]>/*.crt`, `*.cert` and `*.key`; what the earlier has for a host wins. */
  readonly certificateDirectories: readonly string[]
  readonly proxies: Proxies
  /** Nothing is asked of any registry. */
  readonly isOffline: boolean
  readonly userAgent: string
  readonly timeouts?: Partial<Timeouts>
  /** Tries of one request, or of one blob that breaks off, before it is given up. */
  readonly attempts: number
}

/** Another place to ask first, for what is read from `domain`. */
export interface Mirror {
  readonly domain: string
  /** `https://mirror.example[/prefix]`. */
  readonly url: string
}

/** As the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY; '' is none. */
export interface Proxies {
  readonly http: string
  readonly https: string
  readonly no: string
}

/** How long a registry may keep us waiting, in milliseconds. */
export interface Timeouts {
  /** From a request that only reads to the answer's head. */
  readonly readAnswerMs: number
  /** From any other request to the answer's head: the registry may have a blob to verify. */
  readonly answerMs: number
  /** A body must bring `stallBytes` in this time. */
  readonly stallMs: number
  /** For a whole document. */
  readonly documentMs: number
  /** The first wait between two tries; each doubles it. */
  readonly retryMs: number
  /** The longest wait between two tries, also when the registry asks for more. */
  readonly longestRetryMs: number
}

export const defaultTimeouts: Timeouts = {
  readAnswerMs: 30_000,
  answerMs: 60_000,
  stallMs: 60_000,
  documentMs: 120_000,
  retryMs: 500,
  longestRetryMs: 30_000,
}

/** Bytes that a body must bring in `stallMs`. */
export const stallBytes = 4096

export const defaultSettings: RegistrySettings = {
  insecure: [],
  mirrors: [],
  certificateDirectories: [],
  proxies: { http: '', https: '', no: '' },
  isOffline: false,
  userAgent: 'berth',
  attempts: 5,
}
