import { EngineError, invalid, isKind, type KeyedLock, type Logger, messageOf } from '@berth/base'
import { type Digest, isDigest, maxManifestBytes } from '@berth/oci'
import {
  createRegistries,
  defaultSettings,
  proxiesOf,
  RegistryError as UpstreamError,
  type Repository,
} from '@berth/registry'
import type { ContentStore } from '@berth/storage'
import type { BlobSource } from '../http/blob-source.ts'
import { blobUnknown, manifestUnknown, RegistryError } from '../http/errors.ts'
import { planManifest } from '../manifests/plan-manifest.ts'
import type { Metrics } from '../metrics.ts'
import type { ManifestRecord, RegistryStore } from '../store/registry-store.ts'
import type { BlobDownloads } from './blob-downloads.ts'

export interface UpstreamOptions {
  /** `https://registry-1.docker.io`, or of any other registry. */
  readonly url: string
  readonly username?: string
  readonly password?: string
  readonly store: RegistryStore
  readonly content: ContentStore
  readonly locks: KeyedLock<Digest>
  readonly downloads: BlobDownloads
  readonly metrics: Metrics
  readonly logger: Logger
  /** A tag that was asked for so recently is not asked for again. */
  readonly freshMs: number
}

/** The registry that this one is a cache of. */
export interface Upstream extends Disposable {
  /** What the upstream has now; what is here, when the upstream cannot be asked. Throws `MANIFEST_UNKNOWN`. */
  findManifest(name: string, reference: string): Promise<ManifestRecord>
  openBlob(name: string, digest: Digest): Promise<BlobSource>
  /** Undefined when the upstream cannot be asked. */
  tags(name: string): Promise<readonly string[] | undefined>
  bringReferrers(name: string, subject: Digest): Promise<void>
}

export function openUpstream(options: UpstreamOptions): Upstream {
  const { store, downloads, metrics } = options
  const { domain, isInsecure } = parseUpstream(options.url)
  const registries = createRegistries({
    ...defaultSettings,
    userAgent: 'berth-registry',
    insecure: isInsecure ? [domain] : [],
    proxies: proxiesOf(process.env),
    attempts: 2,
  })
  const auth = options.username === undefined ? {} : { username: options.username, password: options.password ?? '' }
  const repository = (name: string): Repository => registries.repository({ domain, path: pathAt(domain, name) }, auth)
  const asked = new Asked(options.freshMs)
  return {
    findManifest: (name, reference) =>
      asked.once(`${name}@${reference}`, () => findManifest(options, repository(name), name, reference)),
    async openBlob(name, digest) {
      const sizeBytes = store.neededSize(name, digest)
      // Only what a manifest names is fetched: nobody fills the cache with what he likes.
      if (sizeBytes === undefined) throw blobUnknown(digest)
      metrics.upstreamMisses++
      return downloads.open({ name, digest, sizeBytes }, repository(name))
    },
    tags: (name) => orNothing(options, name, () => repository(name).tags()),
    async bringReferrers(name, subject) {
      const found = await orNothing(options, name, () => repository(name).referrers(subject))
      for (const { digest } of found ?? []) {
        await orNothing(options, name, () => findManifest(options, repository(name), name, digest))
      }
    },
    [Symbol.dispose]: () => registries[Symbol.dispose](),
  }
}

/** The host of a registry's URL, in the way that references name it. Throws `invalid` for what else is in it. */
export function parseUpstream(text: string): { domain: string; isInsecure: boolean } {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) throw invalid(`--proxy: want a URL of http or https, not ${text}`)
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw invalid('--proxy: want the URL of a registry: a scheme, a host and a port')
  }
  const isHub = ['docker.io', 'index.docker.io', 'registry-1.docker.io'].includes(url.host)
  return { domain: isHub ? 'docker.io' : url.host, isInsecure: url.protocol === 'http:' }
}

/** Docker Hub's own images are in `library/`. */
const pathAt = (domain: string, name: string): string =>
  domain === 'docker.io' && !name.includes('/') ? `library/${name}` : name

async function findManifest(
  options: UpstreamOptions,
  repository: Repository,
  name: string,
  reference: string,
): Promise<ManifestRecord> {
  const { store, content, metrics, logger } = options
  const here = store.findManifest(name, reference)
  const isHere = here !== undefined && content.info(here.digest) !== undefined
  if (isHere && isDigest(reference)) return hit(metrics, here)
  try {
    const { digest } = await repository.resolve(reference)
    const known = store.findManifest(name, digest)
    if (known && content.info(digest)) {
      if (known.digest !== here?.digest) await bring(options, repository, { name, reference, digest })
      return hit(metrics, known)
    }
    metrics.upstreamMisses++
    return await bring(options, repository, { name, reference, digest })
  } catch (error) {
    if (isKind(error, 'notFound')) {
      if (!isDigest(reference)) store.removeTag(name, reference)
      throw manifestUnknown(name, reference)
    }
    metrics.upstreamFailures++
    logger.warn({ name, reference, error: messageOf(error) }, 'the upstream was asked in vain')
    if (isHere) return here
    throw told(error)
  }
}

function hit(metrics: Metrics, manifest: ManifestRecord): ManifestRecord {
  metrics.upstreamHits++
  return manifest
}

interface Wanted {
  readonly name: string
  readonly reference: string
  readonly digest: Digest
}

/** Keeps the manifest, and what the tag stands for now. */
async function bring(
  { store, content, locks }: UpstreamOptions,
  repository: Repository,
  { name, reference, digest }: Wanted,
): Promise<ManifestRecord> {
  const bytes = content.info(digest)
    ? await content.read(digest, maxManifestBytes)
    : (await repository.manifest(digest)).bytes
  const { record, needs } = planManifest(bytes, undefined, digest)
  await locks.run(digest, async () => {
    await content.ingest(once(bytes), { expected: digest })
    store.cacheManifest(name, record, needs, isDigest(reference) ? undefined : reference)
  })
  return record
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** An upstream's failure in our own words; never its credentials or its challenge. */
function told(error: unknown): Error {
  if (error instanceof RegistryError) return error
  const status = error instanceof UpstreamError ? error.facts.status : 0
  if (status === 429) return new RegistryError(429, 'TOOMANYREQUESTS', 'the upstream has had too many requests')
  if (status === 401 || status === 403)
    return new RegistryError(403, 'DENIED', 'the upstream does not let this cache in')
  const words = error instanceof EngineError ? error.message : 'it failed'
  return new RegistryError(502, 'UNKNOWN', `the upstream cannot be asked: ${words}`, { cause: error })
}

async function orNothing<T>({ logger }: UpstreamOptions, name: string, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    logger.warn({ name, error: messageOf(error) }, 'the upstream was asked in vain')
    return undefined
  }
}

/** Answers that many wait for, or that were given a moment ago: asked for once. */
class Asked {
  readonly #freshMs: number
  readonly #answers = new Map<string, { readonly answer: Promise<ManifestRecord>; untilMs: number }>()

  constructor(freshMs: number) {
    this.#freshMs = freshMs
  }

  once(key: string, ask: () => Promise<ManifestRecord>): Promise<ManifestRecord> {
    const known = this.#answers.get(key)
    if (known && known.untilMs > Date.now()) return known.answer
    if (this.#answers.size >= 1000) this.#answers.clear()
    const entry = { answer: ask(), untilMs: Infinity }
    this.#answers.set(key, entry)
    entry.answer.then(
      () => (entry.untilMs = Date.now() + this.#freshMs),
      () => this.#answers.delete(key),
    )
    return entry.answer
  }
}
