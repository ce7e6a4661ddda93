import type { ContainerId, ExecId } from '@berth/base'
import type { ContainerConfig, EndpointSettings, HostConfig } from '@berth/engine-api'
import type { IdMaps } from '@berth/linux'
import type { Digest } from '@berth/oci'
import type { ConsoleSize } from '@berth/runtime'

export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'

export interface HealthResult {
  /** RFC 3339, nanoseconds. */
  readonly start: string
  readonly end: string
  readonly exitCode: number
  /** At most 4096 bytes of what the probe printed. */
  readonly output: string
}

export interface Health {
  readonly status: 'starting' | 'healthy' | 'unhealthy'
  readonly failingStreak: number
  /** The last five. */
  readonly log: readonly HealthResult[]
}

export interface ContainerState {
  readonly status: ContainerStatus
  /** Host pid of the first process; 0 when not running. */
  readonly pid: number
  readonly exitCode: number
  readonly oomKilled: boolean
  /** Why the last start failed; '' when it did not. */
  readonly error: string
  /** RFC 3339, nanoseconds; the zero time when never. */
  readonly startedAt: string
  readonly finishedAt: string
  /** Paused for as long as the engine reads its files: a successor that finds it so resumes it. */
  readonly isPausedByEngine?: boolean
  /** Its anonymous volumes go with it, once it is being removed. */
  readonly removesVolumes?: boolean
  /** Absent without a healthcheck, or before the first start. */
  readonly health?: Health
}

/** A bind, volume, tmpfs or image mount as resolved at create (`Mounts` of inspect). */
export interface MountPoint {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'image'
  readonly name?: string
  readonly source: string
  readonly destination: string
  readonly driver?: string
  /** The third part of -v, as given. */
  readonly mode: string
  readonly rw: boolean
  readonly propagation: string
  /** Binds and volumes: false leaves out the mounts below `source`. */
  readonly recursive?: boolean
  /** What read-only does to the mounts below; `if-possible` when absent. */
  readonly readOnlyRecursion?: 'none' | 'if-possible' | 'force'
  /** Binds: a source that is missing is made. */
  readonly makesSource?: boolean
  readonly volume?: VolumePart
  readonly image?: ImagePart
  /** Binds: files have other owners in the container. */
  readonly idMaps?: IdMaps
  /** As tmpfs(5) takes them. */
  readonly tmpfsOptions?: readonly string[]
}

/** What of a mount only images have. */
export interface ImagePart {
  /** What of the image is mounted; '' is all of it. */
  readonly subpath: string
  readonly id?: Digest
  /** The key of the snapshot that is mounted. */
  readonly snapshot?: string
}

/** What of a mount only volumes have. */
export interface VolumePart {
  /** Anonymous ones go with their last container. */
  readonly isNamed: boolean
  /** Filled with what the image has there, while it is empty. */
  readonly isFilled: boolean
  /** What of the volume is mounted; '' is all of it. */
  readonly subpath: string
}

/** A container as it stands. Immutable: every change makes a new one. */
export interface Container {
  readonly id: ContainerId
  /** Without the slash. */
  readonly name: string
  readonly createdAt: string
  /** argv as it will run: entrypoint and command joined; [0] is the path. */
  readonly args: readonly string[]
  readonly imageId: Digest
  readonly manifest: Digest
  readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string }
  /** Merged with the image's. */
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  readonly state: ContainerState
  readonly restartCount: number
  /** What was asked of each network, by its name. */
  readonly requestedEndpoints: Readonly<Record<string, EndpointSettings>>
  /** The same with what was got; addresses are filled while running. */
  readonly endpoints: Readonly<Record<string, EndpointSettings>>
  readonly mounts: readonly MountPoint[]
  /** Ended by a user (stop, kill): a restart policy other than `always` at engine start leaves it. */
  readonly stoppedByUser: boolean
  readonly hasBeenStarted: boolean
  readonly appArmorProfile: string
  /** Live execs. */
  readonly execIds: readonly ExecId[]
}

export interface Exec {
  readonly id: ExecId
  readonly containerId: ContainerId
  readonly running: boolean
  readonly exitCode: number | null
  readonly pid: number
  /** Bytes of the detach sequence that was asked for, in base64; absent for the default. */
  readonly escapeKeys?: string
  readonly config: ExecConfig
}

/** A decoded `POST /containers/{id}/exec`. */
export interface ExecConfig {
  readonly user: string
  readonly privileged: boolean
  readonly tty: boolean
  readonly attachStdin: boolean
  readonly attachStdout: boolean
  readonly attachStderr: boolean
  readonly detachKeys: string
  readonly env: readonly string[]
  readonly workingDir: string
  readonly cmd: readonly string[]
  readonly consoleSize?: ConsoleSize
}
