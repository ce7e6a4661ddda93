import { KeyedLock, type Logger } from '@berth/base'
import type { Database } from '@berth/database'
import { spreadSubdirectories } from '@berth/linux'
import type { GcRoots } from '@berth/storage'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildRun, runBuild } from './build.ts'
import type { Builder, PruneRule } from './builder.ts'
import { BuildCache, isCachedHere } from './cache/build-cache.ts'
import { imageCaches } from './cache/transfer/image-caches.ts'
import { KeptContexts } from './context/kept-contexts.ts'
import { Solver } from './cache/solver.ts'
import { fetchContext } from './context/fetch-context.ts'
import { makeContextDirectory, openContext, receiveContext } from './context/receive-context.ts'
import type { Context } from './context.ts'
import { RunnablePlatforms } from './exec/runnable-platforms.ts'
import { BuildRecords } from './records/build-records.ts'
import { CacheMounts } from './usage/cache-mounts.ts'
import { CacheKeeper } from './usage/keep-within.ts'
import { listRecords } from './usage/list-records.ts'
import { pruneRecords } from './usage/prune-records.ts'
import { usageFilter } from './usage/usage-filter.ts'
import type { StepEvent, StepOutcome } from './steps/step-context.ts'

export interface BuilderOptions extends Pick<
  Context,
  'images' | 'remotes' | 'networks' | 'runtime' | 'facts' | 'defaults' | 'storage'
> {
  readonly database: Database
  readonly logger: Logger
  readonly dataRoot: string
  readonly runRoot: string
  /** The storage's: frees what nothing keeps any more. */
  readonly collect: Storage['collect']
  /** What the cache is kept within, asked for after each build. */
  readonly rules: () => readonly PruneRule[]
}

export interface OpenBuilder extends Builder, AsyncDisposable {
  /** For `Storage.addRoots()`: what the cache keeps. */
  gcRoots(): GcRoots
}

/** Opens the builder on its tables and directories, and sweeps what a crash has left in those. */
export async function openBuilder(options: BuilderOptions): Promise<OpenBuilder> {
  const { database, dataRoot, runRoot, collect, rules, ...services } = options
  const context: Context = {
    ...services,
    cache: new BuildCache(database),
    mounts: new CacheMounts(database, join(dataRoot, 'builder', 'mounts')),
    keptContexts: new KeptContexts(services),
    mountLocks: new KeyedLock(),
    directory: join(dataRoot, 'builder'),
    runDirectory: join(runRoot, 'builder'),
  }
  await rm(join(context.directory, 'tmp'), { recursive: true, force: true })
  await rm(context.runDirectory, { recursive: true, force: true })
  await mkdir(join(context.directory, 'tmp'), { recursive: true, mode: 0o700 })
  spreadSubdirectories(join(context.directory, 'tmp'))
  const platforms = new RunnablePlatforms(join(context.directory, 'tmp'))
  const solver = openSolver(context)
  const keeper = new CacheKeeper({ context, logger: options.logger, rules, collect })
  context.cache.onPut(() => keeper.onAdded())
  const run = async (build: BuildRun) => {
    using _ = context.keptContexts.building()
    return await runBuild(context, solver, build).finally(() => keeper.onBuilt())
  }
  return {
    build: async (request, progress, signal) => {
      await using outcome = await run({ request, progress, signal })
      const isCache = /^(?:1|t|true)$/i.test(request.args['BUILDKIT_INLINE_CACHE'] ?? '')
      const isSquashed = request.isSquashed === true
      return { imageId: await outcome.createImage(request.tags, { isCache, isSquashed }), stages: [] }
    },
    solve: (request, progress, signal) => run({ request, progress, signal }),
    expectBuild: () => context.storage.trees.expectWork(),
    receiveContext: (tar, signal) => receiveContext(context, tar, signal),
    emptyContext: async () => {
      const { root, directory } = makeContextDirectory(context)
      return openContext(context, root, directory)
    },
    fetchContext: (remote, fetching) => fetchContext(context, remote, fetching),
    keptContexts: context.keptContexts,
    buildRecords: new BuildRecords(database),
    imageCaches: (references) => imageCaches(context, references),
    blobs: context.storage.content,
    cacheRecords: async (filters = []) => (await listRecords(context)).filter(usageFilter(filters)),
    pruneCache: async (rule) => {
      const deleted = await pruneRecords(context, rule)
      const ofMounts = deleted.filter(({ type }) => type !== 'regular')
      const freed = ofMounts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      return { deleted, reclaimedBytes: deleted.length > 0 ? freed + (await collect()).layerBytes : 0 }
    },
    platforms: () => platforms.get(),
    cacheRules: rules,
    gcRoots: () => context.cache.roots(),
    [Symbol.asyncDispose]: async () => {
      await keeper[Symbol.asyncDispose]()
      await context.keptContexts[Symbol.asyncDispose]()
    },
  }
}

function openSolver(context: Context): Solver<StepOutcome, StepEvent> {
  const { cache } = context
  return new Solver({
    get: async (key) => {
      const known = cache.get(key)
      if (!known) return undefined
      const { layer, createdAt } = known
      if (!isCachedHere(context, key)) {
        cache.drop([key])
        return undefined
      }
      cache.touch(key)
      return { result: { layer, createdAt } }
    },
    // The step itself has recorded it, when it was done.
    put: async () => {},
  })
}
