import type { Logger } from '@berth/base'
import type { Builder } from '@berth/builder'
import type { Buildkit } from '@berth/buildkit'
import type { Containers } from '@berth/containers'
import type { InfoResponse, VersionResponse } from '@berth/engine-api'
import type { eventFilter, Events } from '@berth/events'
import type { Images } from '@berth/images'
import type { Networks } from '@berth/networks'
import type { Finding } from '@berth/storage'
import type { Volumes } from '@berth/volumes'

/** What of `/version` only the daemon knows. */
export interface VersionFacts {
  /** Berth's own. */
  readonly version: string
  readonly gitCommit: string
  readonly kernelVersion: string
  /** Go's name: amd64, arm64. */
  readonly architecture: string
  /** RFC 3339, '' when unknown. */
  readonly buildTime: string
  readonly components: VersionResponse['Components']
}

type CountedInfo = 'Containers' | 'ContainersRunning' | 'ContainersPaused' | 'ContainersStopped' | 'Images'
type ConstantInfo =
  | 'ExperimentalBuild'
  | 'GenericResources'
  | 'IndexServerAddress'
  | 'Isolation'
  | 'OSType'
  | 'OSVersion'
  | 'Swarm'
  | 'SystemTime'

/** What of `/info` the daemon knows; the API counts containers and images, and knows what is always so. */
export type InfoFacts = Omit<InfoResponse, CountedInfo | ConstantInfo>

export interface System {
  version(): VersionFacts | Promise<VersionFacts>
  info(): InfoFacts | Promise<InfoFacts>
  /** What clients are told: by which of Docker's builders they are to build, where nothing else is said. */
  builderVersion(): '1' | '2'
  /** Bytes of all layers in the store. */
  layersSize(): number | Promise<number>
}

/** Holds everything against the records; with `repair` mends what loses nothing. */
export type Check = (options: { readonly repair: boolean; readonly signal: AbortSignal }) => Promise<readonly Finding[]>

/** Everything the API serves. */
export interface ApiDeps {
  readonly check: Check
  readonly containers: Containers
  readonly images: Images
  readonly volumes: Volumes
  readonly builder: Builder
  /** Opened with the first client that wants it. */
  readonly buildkit: () => Promise<Buildkit>
  readonly events: Events
  /** The events service's own: what `filters` of `/events` lets through. */
  readonly eventFilter: typeof eventFilter
  readonly networks: Pick<Networks, 'create' | 'describe' | 'list' | 'remove' | 'prune'>
  readonly system: System
  readonly log: Logger
  /** What clients are told: the docker CLI sends `--squash` to an experimental engine only. */
  readonly isExperimental: boolean
  /** For the `Server` header. */
  readonly version: string
}
