import { conflict, invalid, KeyedLock, type Logger } from '@berth/base'
import { openDatabase } from '@berth/database'
import { lockFile } from '@berth/linux'
import type { Digest } from '@berth/oci'
import { type ContentStore, openContentStore } from '@berth/storage'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openAccess } from './access/access.ts'
import { type Collected, collectGarbage, type CollectorOptions, collectRegularly } from './collect-garbage.ts'
import { type Options, parseAddress } from './config/parse-options.ts'
import { handle, type HandlerOptions } from './http/handle.ts'
import { openServer, type ServerOptions } from './http/open-server.ts'
import { Pace } from './http/pace.ts'
import { Metrics } from './metrics.ts'
import { openBlobDownloads } from './proxy/blob-downloads.ts'
import { openUpstream, type Upstream } from './proxy/upstream.ts'
import type { Registry } from './registry.ts'
import { dispatch } from './routes/dispatch.ts'
import { openRegistryStore } from './store/open-registry-store.ts'
import type { RegistryStore } from './store/registry-store.ts'
import { StorageLimit } from './uploads/storage-limit.ts'
import { openUploads } from './uploads/uploads.ts'

/** A registry that serves. Dispose it to end it at once. */
export interface OpenRegistry extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** Reads certificates again. */
  reload(): void
  collect(): Promise<Collected>
  /** Lets the requests under way come to their end. */
  drain(graceMs: number): Promise<void>
}

/** How often the pace of clients is looked at. */
const paceWindowMs = 20_000

/** The composition root: everything that `berth registry serve` consists of. */
export async function openRegistry(options: Options, logger: Logger): Promise<OpenRegistry> {
  await using stack = new AsyncDisposableStack()
  mkdirSync(options.root, { recursive: true, mode: 0o700 })
  stack.use(lockRoot(options.root))
  const database = stack.use(openDatabase(join(options.root, 'registry.db')))
  const store = openRegistryStore(database)
  const content = await openContentStore({ root: options.root, logger })
  const limit = new StorageLimit(options.maxStorage)
  for (const { sizeBytes } of content.list()) limit.count(sizeBytes)
  const uploads = await openUploads({
    directory: join(options.root, 'uploads'),
    store,
    content,
    limit,
    maxBlobBytes: options.maxBlobSize,
    maxUploads: options.maxUploads,
  })
  const locks = new KeyedLock<Digest>()
  const metrics = new Metrics()
  const shared = { store, content, locks, limit, metrics, logger }
  const upstream = options.proxy === undefined ? undefined : stack.use(await openCache(options, options.proxy, shared))
  const registry: Registry = {
    ...(upstream && { upstream }),
    store,
    content,
    uploads,
    locks,
    logger,
    pace: stack.use(new Pace(options.minRate, paceWindowMs)),
    rules: {
      isReadOnly: options.readOnly || upstream !== undefined,
      allowsDeletion: !options.noDelete,
      chunkMinBytes: options.chunkMinLength,
    },
  }
  const collector = { ...collectorOptions(options), store, content, uploads, locks, logger, limit }
  if (options.gcInterval > 0) stack.use(collectRegularly(collector, options.gcInterval))
  const access = stack.use(openAccess({ ...options, logger }))
  const handler: HandlerOptions = {
    access,
    metrics,
    logger,
    maxRequests: options.maxRequests,
    answer: (call, target) => dispatch(registry, call, target),
    gauges: () => ({ uploads: store.countUploads(), stored_bytes: limit.storedBytes }),
    probe: () => void store.countUploads(),
  }
  const server = stack.use(
    await openServer(serverOptions(options, logger), (request, response) => void handle(handler, request, response)),
  )
  const owned = stack.move()
  return {
    host: server.host,
    port: server.port,
    reload: () => server.reload(),
    collect: () => collectGarbage(collector),
    drain: (graceMs) => server.drain(graceMs),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface Shared {
  readonly store: RegistryStore
  readonly content: ContentStore
  readonly locks: KeyedLock<Digest>
  readonly limit: StorageLimit
  readonly metrics: Metrics
  readonly logger: Logger
}

async function openCache(options: Options, url: string, shared: Shared): Promise<Upstream> {
  const downloads = await openBlobDownloads({ directory: join(options.root, 'downloads'), ...shared })
  const { proxyUser, proxyPasswordFile } = options
  const user =
    proxyUser === undefined || proxyPasswordFile === undefined
      ? {}
      : { username: proxyUser, password: readFileSync(proxyPasswordFile, 'utf8').trimEnd() }
  return openUpstream({ url, ...user, downloads, freshMs: options.proxyFresh, ...shared })
}

function lockRoot(root: string): Disposable {
  try {
    return lockFile(join(root, 'registry.lock'))
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EAGAIN') throw error
    throw conflict(`another registry runs on ${root}`, error)
  }
}

type Times = Pick<CollectorOptions, 'graceMs' | 'uploadMs' | 'deletesUntagged' | 'unusedMs'>

function collectorOptions({ gcGrace, uploadExpiry, deleteUntagged, proxy, proxyKeep }: Options): Times {
  const unused = proxy === undefined || proxyKeep === 0 ? {} : { unusedMs: proxyKeep }
  return { graceMs: gcGrace, uploadMs: uploadExpiry, deletesUntagged: deleteUntagged, ...unused }
}

function serverOptions(options: Options, logger: Logger): ServerOptions {
  const { tlsCert, tlsKey, clientCa, htpasswd } = options
  const address = parseAddress(options.addr)
  if (htpasswd !== undefined && tlsCert === undefined && !/^(?:127\.|::1$|localhost$)/.test(address.host)) {
    logger.warn({ addr: options.addr }, 'passwords and images travel in plain text: use --tls-cert and --tls-key')
  }
  if (tlsCert !== undefined && tlsKey === undefined) throw invalid('--tls-cert and --tls-key go together')
  return {
    ...address,
    idleMs: options.idleTimeout,
    maxConnections: options.maxConnections,
    logger,
    ...(tlsCert !== undefined &&
      tlsKey !== undefined && {
        tls: { certificate: tlsCert, key: tlsKey, ...(clientCa !== undefined && { clientAuthority: clientCa }) },
      }),
  }
}
