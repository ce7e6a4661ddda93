/** The options of `berth registry serve`. */
export interface OptionSpec {
  readonly flag: string
  readonly kind: 'string' | 'boolean' | 'bytes' | 'duration' | 'integer'
  readonly value?: string
  readonly help: string
  readonly usual?: string
}

export const optionSpecs = {
  addr: { flag: 'addr', kind: 'string', value: 'HOST:PORT', help: 'Where to listen; :5000 is every address', usual: '127.0.0.1:5000' },
  root: { flag: 'root', kind: 'string', value: 'DIRECTORY', help: 'Where everything is kept', usual: '/var/lib/berth-registry' },
  htpasswd: { flag: 'htpasswd', kind: 'string', value: 'FILE', help: 'Users and their bcrypt hashes (htpasswd -B); read again when it changes' },
  realm: { flag: 'realm', kind: 'string', value: 'TEXT', help: 'What clients are told they log in to', usual: 'Berth registry' },
  anonymousPull: { flag: 'anonymous-pull', kind: 'boolean', help: 'Let everybody read; only writing needs a password' },
  tlsCert: { flag: 'tls-cert', kind: 'string', value: 'FILE', help: 'Certificate (chain) to serve TLS with' },
  tlsKey: { flag: 'tls-key', kind: 'string', value: 'FILE', help: 'Its key' },
  clientCa: { flag: 'client-ca', kind: 'string', value: 'FILE', help: 'Take only clients with a certificate of this authority' },
  readOnly: { flag: 'read-only', kind: 'boolean', help: 'Refuse every change' },
  noDelete: { flag: 'no-delete', kind: 'boolean', help: 'Refuse deletions' },
  proxy: { flag: 'proxy', kind: 'string', value: 'URL', help: 'Be a pull-through cache of this registry' },
  proxyUser: { flag: 'proxy-user', kind: 'string', value: 'NAME', help: 'Who to be there' },
  proxyPasswordFile: { flag: 'proxy-password-file', kind: 'string', value: 'FILE', help: 'With which password' },
  proxyFresh: { flag: 'proxy-fresh', kind: 'duration', value: 'TIME', help: 'A tag that came from there so recently is not asked for again', usual: '10s' },
  proxyKeep: { flag: 'proxy-keep', kind: 'duration', value: 'TIME', help: 'Forget what nobody asked this cache for so long; 0: never', usual: '720h' },
  maxBlobSize: { flag: 'max-blob-size', kind: 'bytes', value: 'BYTES', help: 'Most a blob may have', usual: '64g' },
  maxStorage: { flag: 'max-storage', kind: 'bytes', value: 'BYTES', help: 'Refuse uploads while the blobs have more than this; 0: no limit', usual: '0' },
  maxUploads: { flag: 'max-uploads', kind: 'integer', value: 'COUNT', help: 'Uploads that may be unfinished', usual: '1000' },
  maxRequests: { flag: 'max-requests', kind: 'integer', value: 'COUNT', help: 'Requests at one time; more are told to come back', usual: '256' },
  maxConnections: { flag: 'max-connections', kind: 'integer', value: 'COUNT', help: 'Connections at one time', usual: '2000' },
  minRate: { flag: 'min-rate', kind: 'bytes', value: 'BYTES', help: 'Bytes per second below which a client is cut off', usual: '512' },
  idleTimeout: { flag: 'idle-timeout', kind: 'duration', value: 'TIME', help: 'A connection on which nothing moves ends', usual: '1m' },
  chunkMinLength: { flag: 'chunk-min-length', kind: 'bytes', value: 'BYTES', help: 'Least length of a chunk that clients are asked for; 0: none', usual: '0' },
  gcInterval: { flag: 'gc-interval', kind: 'duration', value: 'TIME', help: 'How often garbage is collected; 0: never', usual: '1h' },
  gcGrace: { flag: 'gc-grace', kind: 'duration', value: 'TIME', help: 'A blob waits so long for its manifest', usual: '24h' },
  uploadExpiry: { flag: 'upload-expiry', kind: 'duration', value: 'TIME', help: 'An unfinished upload waits so long for its client', usual: '24h' },
  deleteUntagged: { flag: 'delete-untagged', kind: 'boolean', help: 'Also collect manifests that no tag, index or subject holds' },
  shutdownTimeout: { flag: 'shutdown-timeout', kind: 'duration', value: 'TIME', help: 'Requests under way have so long at the end', usual: '30s' },
  logLevel: { flag: 'log-level', kind: 'string', value: 'LEVEL', help: 'debug, info, warn or error; requests are info', usual: 'info' },
  logFormat: { flag: 'log-format', kind: 'string', value: 'FORMAT', help: 'text or json', usual: 'text' },
} as const satisfies Record<string, OptionSpec> // prettier-ignore

export type OptionName = keyof typeof optionSpecs
