import type { ContainerId, KeyedLock, Logger } from '@berth/base'
import type { Events } from '@berth/events'
import type { Images } from '@berth/images'
import type { Networks } from '@berth/networks'
import type { HostFacts, ReadLogs, Runtime } from '@berth/runtime'
import type { Snapshots, TreeCopies } from '@berth/storage'
import type { Volumes } from '@berth/volumes'
import type { AttachedOutputs } from './attached-outputs.ts'
import type { ExecRegistry } from './exec-registry.ts'
import type { HealthMonitors } from './health-monitors.ts'
import type { DaemonDefaults } from './plan/types.ts'
import type { Registry } from './registry.ts'
import type { RestartTimers } from './restart-timers.ts'
import type { Starts } from './starts.ts'
import type { Stops } from './stops.ts'
import type { Waiters } from './waiters.ts'

/** What every use case of the aggregate works with. Use cases change a container only under `locks` of its id. */
export interface Context {
  readonly registry: Registry
  /** In the database, but not understood: neither served nor swept. */
  readonly unreadable: ReadonlySet<ContainerId>
  /** Ran when the engine started and are in no record: what they held is given back at their end. */
  readonly strangers: Set<ContainerId>
  readonly locks: KeyedLock<ContainerId>
  readonly waiters: Waiters
  readonly outputs: AttachedOutputs
  readonly starts: Starts
  readonly stops: Stops
  readonly execs: ExecRegistry
  readonly health: HealthMonitors
  readonly restarts: RestartTimers
  readonly images: Images
  readonly snapshots: Snapshots
  readonly volumes: Volumes
  readonly copies: TreeCopies
  readonly networks: Networks
  readonly runtime: Runtime
  readonly readLogs: ReadLogs
  readonly events: Events
  readonly logger: Logger
  readonly facts: HostFacts
  /** Read anew at each use: a reload changes them. */
  readonly defaults: () => DaemonDefaults
  /** `<data root>/containers`. */
  readonly directory: string
  /** False once the engine shuts down: nothing is restarted any more. */
  readonly isOpen: () => boolean
}
