import type { KeyedLock, Logger } from '@berth/base'
import type { Images } from '@berth/images'
import type { Networks } from '@berth/networks'
import type { Registries } from '@berth/registry'
import type { HostFacts, Runtime } from '@berth/runtime'
import type { Storage } from '@berth/storage'
import type { BuildCache } from './cache/build-cache.ts'
import type { KeptContexts } from './context/kept-contexts.ts'
import type { CacheMounts } from './usage/cache-mounts.ts'

/** What the daemon's configuration contributes to every RUN. */
export interface RunDefaults {
  readonly seccomp: 'default' | 'unconfined' | { readonly profile: string }
  readonly noNewPrivileges: boolean
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[]
  readonly cgroupParent: string
  readonly appArmorProfile: string
}

/** What every part of the builder works with. */
export interface Context {
  readonly images: Images
  /** The ways to what contexts and ADD name by URLs. */
  readonly remotes: Pick<Registries, 'download' | 'proxies'>
  readonly storage: Pick<Storage, 'content' | 'snapshots' | 'leases' | 'space' | 'trees'>
  readonly networks: Pick<Networks, 'attach' | 'detach'>
  readonly runtime: Pick<Runtime, 'start' | 'attach' | 'kill' | 'release' | 'onExit'>
  readonly facts: HostFacts
  readonly logger: Logger
  readonly defaults: () => RunDefaults
  readonly cache: BuildCache
  readonly mounts: CacheMounts
  readonly keptContexts: KeptContexts
  /** Locks of cache mounts that are `locked`, by their names. */
  readonly mountLocks: KeyedLock<string>
  /** `<data root>/builder`: contexts while they are needed. */
  readonly directory: string
  /** `<exec root>/builder`: /etc files of RUN's containers. */
  readonly runDirectory: string
}
