import { invalid, messageOf } from '@berth/base'
import type { Builder, CacheRecord, ReceivedContext } from '@berth/builder'
import {
  boolParameter,
  type BuildCacheRecord,
  decodeAuthConfigs,
  decodeCacheFilters,
  decodeFilters,
  encodeProgress,
  intParameter,
} from '@berth/engine-api'
import { familiarString, parseReference, withDefaultTag } from '@berth/oci'
import { ClassicProgress } from '../build/classic-progress.ts'
import { KeptMessages } from '../build/kept-messages.ts'
import { decodeBuild } from '../build/decode-build.ts'
import type { Exchange } from '../exchange.ts'
import { sendJson } from '../respond.ts'
import type { Route } from '../router.ts'

export function buildRoutes({ builder }: { readonly builder: Builder }): Route[] {
  return [
    { method: 'POST', path: '/build', handler: (exchange) => build(exchange, builder) },
    { method: 'POST', path: '/build/prune', handler: (exchange) => prune(exchange, builder) },
  ]
}

/** The classic build: the context is the body, the answer a stream of messages. */
async function build(exchange: Exchange, builder: Builder): Promise<void> {
  const decoded = decodeBuild(exchange.query)
  const names = decoded.tags.map((tag) => familiarString(withDefaultTag(parseReference(tag))))
  const { signal } = exchange
  await using context =
    decoded.remote === ''
      ? await builder.receiveContext(exchange.request, signal)
      : await builder.fetchContext(decoded.remote, { signal })
  const dockerfile = await readDockerfile(context, decoded.file)
  await applyIgnoreFile(context, decoded.file)
  const header = exchange.request.headers['x-registry-config']
  const request = {
    ...decoded,
    imports: () => builder.imageCaches(decoded.cacheFrom),
    credentials: credentialsOf(decodeAuthConfigs(typeof header === 'string' ? header : undefined)),
    contextDirectory: async () => context.directory,
    sharesContext: true,
    dockerfile,
  }
  const stream = new MessageStream(exchange)
  const kept = new KeptMessages()
  const progress = new ClassicProgress(decoded.isQuiet ? kept.add : stream.send)
  try {
    const { imageId } = await builder.build(request, progress.take, signal)
    if (decoded.isQuiet) stream.send({ stream: `${imageId}\n` })
    else progress.finish(imageId, names)
  } catch (error) {
    // What a quiet build did not say is what explains its failure.
    for (const message of kept.all) stream.send(message)
    stream.fail(error)
  }
  stream.end()
}

/** How clients call Docker's own registry in their files. */
const dockerHub = 'https://index.docker.io/v1/'

/** What a client has for a domain; clients name registries with and without a scheme. */
const credentialsOf = (auths: ReturnType<typeof decodeAuthConfigs>) => async (domain: string) =>
  auths.get(domain) ?? auths.get(domain === 'docker.io' ? dockerHub : `https://${domain}`)

/** The answer of a build; what fails before its first message is an ordinary error. */
class MessageStream {
  readonly #response: Exchange['response']

  constructor({ response }: Exchange) {
    this.#response = response
  }

  readonly send = (message: Readonly<Record<string, unknown>>): void => {
    if (this.#response.closed) return
    if (!this.#response.headersSent) this.#response.writeHead(200, { 'Content-Type': 'application/json' })
    this.#response.write(encodeProgress(message))
  }

  fail(error: unknown): void {
    if (!this.#response.headersSent) throw error
    const message = messageOf(error)
    const code = error instanceof Error && 'exitCode' in error ? { code: error.exitCode } : {}
    this.send({ errorDetail: { ...code, message }, error: message })
  }

  end(): void {
    if (!this.#response.headersSent) this.#response.writeHead(200, { 'Content-Type': 'application/json' })
    this.#response.end()
  }
}

async function readDockerfile(context: ReceivedContext, file: string): Promise<string> {
  // Also what older clients call it.
  const text = (await context.read(file)) ?? (file === 'Dockerfile' ? await context.read('dockerfile') : undefined)
  if (text === undefined) throw invalid(`Cannot locate specified Dockerfile: ${file}`)
  if (text === '') throw invalid(`the Dockerfile (${file}) cannot be empty`)
  return text
}

/** Clients leave out what is ignored, but these two have to be sent. A file for this Dockerfile alone wins. */
async function applyIgnoreFile(context: ReceivedContext, file: string): Promise<void> {
  const text = (await context.read(`${file}.dockerignore`)) ?? (await context.read('.dockerignore'))
  if (text !== undefined) await context.dropIgnored(['.dockerignore', file], text)
}

async function prune(exchange: Exchange, builder: Builder): Promise<void> {
  const { query } = exchange
  const { label, 'label!': _, ...filters } = decodeFilters(query.get('filters'))
  const rule = {
    ...explained(() => decodeCacheFilters(filters)),
    all: boolParameter(query, 'all'),
    reservedBytes: intParameter(query, 'reserved-space') ?? intParameter(query, 'keep-storage') ?? 0,
    maxUsedBytes: intParameter(query, 'max-used-space') ?? 0,
    minFreeBytes: intParameter(query, 'min-free-space') ?? 0,
  }
  // A record of the cache has no label.
  if (label) return sendJson(exchange, { CachesDeleted: null, SpaceReclaimed: 0 })
  const { deleted, reclaimedBytes } = await builder.pruneCache(rule)
  const ids = deleted.map(({ id }) => id)
  sendJson(exchange, { CachesDeleted: ids.length > 0 ? ids : null, SpaceReclaimed: reclaimedBytes })
}

function explained<T>(decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    throw invalid(`failed to prune build cache: ${messageOf(error)}`, error)
  }
}

/** What `system df` shows of the cache. */
export const presentCacheRecord = (record: CacheRecord): BuildCacheRecord => ({
  ID: record.id,
  ...(record.parents.length > 0 && { Parents: [...record.parents] }),
  Type: record.type,
  Description: record.description,
  InUse: record.isInUse,
  Shared: record.isShared,
  Size: record.sizeBytes,
  CreatedAt: record.createdAt,
  LastUsedAt: record.usedAt,
  UsageCount: record.uses,
})
