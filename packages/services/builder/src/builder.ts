import type { LineRange } from '@berth/dockerfile'
import type { AuthConfig } from '@berth/engine-api'
import type { Digest, ImageConfig, Platform, RuntimeResources } from '@berth/oci'
import type { ContentStore } from '@berth/storage'
import type { Readable } from 'node:stream'
import type { KeptContexts } from './context/kept-contexts.ts'
import type { BuildRecords } from './records/build-records.ts'
import type { CacheSource } from './cache/transfer/cache-store.ts'
import type { DoneStep, StageState } from './stages/stage-state.ts'

/** What RUN may use and see, beyond its own flags. */
export interface RunSettings {
  /** `default`, `none`, `host`, or a network's name. */
  readonly network: string
  /** `name:address`. */
  readonly extraHosts: readonly string[]
  readonly shmSizeBytes: number
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[]
  readonly cgroupParent: string
  readonly resources: RuntimeResources
}

/** What stands for the name of an image or a stage. */
export type NamedContext =
  | { readonly kind: 'image'; readonly reference: string }
  /** A tree on this host; the caller's to remove. */
  | { readonly kind: 'directory'; readonly directory: () => Promise<string> }
  /** What another build made; the caller's to dispose of. */
  | { readonly kind: 'outcome'; readonly outcome: BuildOutcome }

/** What a RUN may ask of whoever started the build. */
export interface BuildSession {
  /** Undefined when the client has no secret of that id. */
  secret(id: string): Promise<Uint8Array | undefined>
  /** Makes a socket at `path` whose connections reach the client's agent; undefined when it has none of that id. */
  forwardAgent(id: string, path: string): Promise<AsyncDisposable | undefined>
}

/** What a build may do beyond what any may. */
export type Entitlement = 'network.host'

export interface BuildRequest {
  /**
   * The tree that COPY and ADD take from, on this host; the caller's to remove. Asked for when it is needed, with the paths
   * or patterns in it that are; '' is all of it.
   */
  readonly contextDirectory: (paths: readonly string[]) => Promise<string>
  /** By the name that FROM, `--from` and mounts use; they win over stages and images. */
  readonly contexts: ReadonlyMap<string, NamedContext>
  /** Without one there are neither secrets nor agents. */
  readonly session?: BuildSession | undefined
  readonly entitlements: readonly Entitlement[]
  /** Nobody changes the context's files any more: layers may share them. */
  readonly sharesContext?: boolean
  readonly dockerfile: string
  /** References the image gets, as written. */
  readonly tags: readonly string[]
  /** `--build-arg`: a name without a value takes it from nowhere. */
  readonly args: Readonly<Record<string, string | undefined>>
  readonly labels: Readonly<Record<string, string>>
  /** Stage name or number; '' is the last one. */
  readonly target: string
  /** '' is this host's. */
  readonly platform: string
  /** The labels of steps tell of it, for it is one of several builds. */
  readonly tellsPlatform?: boolean
  /** True, or the stages that shall not use the cache. */
  readonly noCache: boolean | readonly string[]
  /** Caches from elsewhere, read when the build begins; without one a build goes on as well. */
  readonly imports?: () => Promise<readonly CacheSource[]>
  /** The build's cache will be written: its steps, or those of all stages. */
  readonly exportsCache?: 'min' | 'max' | undefined
  /** Ask the registry for the bases though they are here. */
  readonly pulls: boolean
  /** For a registry's domain, `docker.io` among them. */
  readonly credentials: (domain: string) => Promise<AuthConfig | undefined>
  readonly run: RunSettings
  /** Words of the image's history. */
  readonly style: 'classic' | 'buildkit'
  /** Of the image that `build()` makes; see `ImageOptions`. */
  readonly isSquashed?: boolean
}

/** A step of the build, in the order of the Dockerfile. */
export interface BuildStep {
  readonly number: number
  readonly total: number
  /** As it is written, with labels and arguments of the request among them. */
  readonly text: string
  readonly stage: number
  /** `base 2/10`, as BuildKit counts them. */
  readonly label: string
  readonly lines: LineRange
  /** FROM, and what may make a layer: those that BuildKit shows. */
  readonly isCounted: boolean
}

export type BuildEvent =
  | { readonly kind: 'started'; readonly step: BuildStep }
  | { readonly kind: 'running'; readonly step: BuildStep; readonly containerId: string }
  | { readonly kind: 'output'; readonly step: BuildStep; readonly stream: 1 | 2; readonly bytes: Buffer }
  /** The image that the stage has come to has an id, which not everybody who follows a build wants. */
  | { readonly kind: 'ended'; readonly step: BuildStep; readonly isCached: boolean; readonly imageId: () => string }
  /** The build fails, or is given up, because of it or of another step. */
  | { readonly kind: 'failed'; readonly step: BuildStep; readonly error: unknown }
  | { readonly kind: 'warning'; readonly text: string }

export type BuildProgress = (event: BuildEvent) => void

export interface BuildResult {
  readonly imageId: Digest
  readonly stages: readonly Digest[]
}

export interface ImageOptions {
  /** It tells of the steps that made it, for others to begin with. */
  readonly isCache?: boolean
  /** No file of its own layers is later than the time that it is of. */
  readonly rewritesTimes?: boolean
  /** What the target's own steps made is one layer on what its FROM names. */
  readonly isSquashed?: boolean
}

/** An image that a build began with, or took from. */
export interface Material {
  /** Whole. */
  readonly name: string
  readonly platform: Platform
  /** Of the manifest or index that the name stands for. */
  readonly digest: Digest
}

/** What a build made; it stays in the store until this is disposed of. */
export interface BuildOutcome extends AsyncDisposable {
  readonly state: StageState
  readonly config: ImageConfig
  /** The time that it says it is of, in seconds since 1970; undefined: of now. */
  readonly epochSeconds: number | undefined
  /** Makes an image of it, under these names. */
  createImage(tags: readonly string[], options?: ImageOptions): Promise<Digest>
  /** Each image once. */
  readonly materials: readonly Material[]
  /** What made it, or all that was done for it. */
  doneSteps(mode: 'min' | 'max'): readonly DoneStep[]
  /** Its files, mounted to be read for as long as the outcome lives. */
  rootPath(): Promise<string>
  /** Its files as a tar, all of them of the time that it is of. */
  pack(): Promise<Readable>
}

/** What the build cache holds. */
export interface CacheRecord {
  readonly id: string
  /** A step's layer, the directory of a `RUN --mount=type=cache`, or the files of a client's directory. */
  readonly type: 'regular' | 'exec.cachemount' | 'source.local'
  /** Ids of records that it stands on. */
  readonly parents: readonly string[]
  readonly description: string
  readonly sizeBytes: number
  /** RFC 3339. */
  readonly createdAt: string
  readonly usedAt: string
  readonly uses: number
  readonly isInUse: boolean
  /** An image has the layer too: removing the record frees nothing. */
  readonly isShared: boolean
  readonly isMutable: boolean
}

/** What is dropped from the cache. Limits of 0 are none; without any, everything that matches goes. */
export interface PruneRule {
  /** What images have too. */
  readonly all: boolean
  /** containerd's; one of them is enough, none takes everything. */
  readonly filters: readonly string[]
  readonly unusedForMs: number
  /** What may stay, whatever the others say. */
  readonly reservedBytes: number
  readonly maxUsedBytes: number
  /** Of the disk. */
  readonly minFreeBytes: number
}

export interface Builder {
  /** Builds an image; throws `DockerfileError` and `RunFailedError` beside what any service throws. */
  build(request: BuildRequest, progress: BuildProgress, signal: AbortSignal): Promise<BuildResult>
  /** The same, and what comes of it is the caller's to export. */
  solve(request: BuildRequest, progress: BuildProgress, signal: AbortSignal): Promise<BuildOutcome>
  /** A build is about to come: what takes a while to start is started. */
  expectBuild(): void
  /** Unpacks a context from a tar, compressed or not, into a new directory; dispose of it when the build is over. */
  receiveContext(tar: Readable, signal: AbortSignal): Promise<ReceivedContext>
  /** Brings a context from a git repository, or a tar or Dockerfile that a URL names. */
  fetchContext(remote: string, options: FetchOptions): Promise<ReceivedContext>
  /** A new, empty context to be filled. */
  emptyContext(): Promise<ReceivedContext>
  /** Files of clients' directories, from one build to the next. */
  readonly keptContexts: Pick<KeptContexts, 'hold' | 'keep'>
  /** What is remembered of builds that are over. */
  readonly buildRecords: BuildRecords
  /** Caches of images that are here, for `imports`; what is not here is passed over. */
  imageCaches(references: readonly string[]): Promise<readonly CacheSource[]>
  /** The store's blobs, for caches that come from clients or go to them. */
  readonly blobs: Pick<ContentStore, 'info' | 'open' | 'ingest'>
  /** The last used first. Throws `invalid` for a malformed filter. */
  cacheRecords(filters?: readonly string[]): Promise<CacheRecord[]>
  /** Drops records that no running build uses. */
  pruneCache(rule: PruneRule): Promise<{ readonly deleted: readonly CacheRecord[]; readonly reclaimedBytes: number }>
  /** What RUN can run here, this host's own first; what an interpreter runs, if one is registered, is among it. */
  platforms(): Promise<readonly Platform[]>
  /** What the cache is kept within. */
  cacheRules(): readonly PruneRule[]
}

export interface FetchOptions {
  /** With a repository's `.git`, unless its address says otherwise. */
  readonly keepsGitDirectory?: boolean
  readonly signal: AbortSignal
}

export interface FillOptions {
  readonly base?: string | undefined
  readonly signal: AbortSignal
}

export interface ReceivedContext extends AsyncDisposable {
  readonly directory: string
  /**
   * Fills it, while it is empty, with the entries that storage's `encodeTreeRecord()` made; what they say is the same as
   * before is in `base`.
   */
  fill(records: AsyncIterable<Uint8Array>, options: FillOptions): Promise<void>
  /** A file of it, at most 4 MiB; undefined when it is not there. Resolved inside of the context. */
  read(path: string): Promise<string | undefined>
  /** Drops those of `files` that the text of a `.dockerignore` names; the rest of it is the client's to leave out. */
  dropIgnored(files: readonly string[], text: string): Promise<void>
}
