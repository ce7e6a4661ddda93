import type { ContainerId } from '@berth/base'
import type { ContainerConfig, EndpointSettings, HostConfig, LogConfig, Ulimit } from '@berth/engine-api'
import type { ImageConfig, RuntimeResources } from '@berth/oci'
import type { HostFacts, LogTarget } from '@berth/runtime'
import type { VolumeRequest } from '@berth/volumes'
import type { MountPoint } from '../container.ts'

/** What the daemon's configuration contributes to every container. */
export interface DaemonDefaults {
  readonly logConfig: LogConfig
  /** By name; a container's own wins. */
  readonly ulimits: Readonly<Record<string, Ulimit>>
  readonly init: boolean
  /** Bytes. */
  readonly shmSizeBytes: number
  readonly ipcMode: 'private' | 'shareable'
  /** '' chooses by cgroup version: host on v1, private on v2. */
  readonly cgroupnsMode: '' | 'private' | 'host'
  readonly noNewPrivileges: boolean
  /** `builtin` (or ''), `unconfined`, or the JSON text of a profile. */
  readonly seccompProfile: string
  /** Default first. */
  readonly runtimes: readonly string[]
  /** Above the cgroups of all that ask for no other. */
  readonly cgroupParent: string
  readonly cgroupDriver: 'cgroupfs' | 'systemd'
  /** The engine's data directory: binds that show it follow its unmounts. */
  readonly dataRoot: string
}

/** What `planContainer` knows besides the request and the image. */
export interface PlanContext {
  readonly id: ContainerId
  readonly facts: HostFacts
  readonly defaults: DaemonDefaults
  /** What another container has mounted; `invalid` when there is none of that name. */
  readonly mountsOf: (ref: string) => readonly MountPoint[]
}

/** A mount decided upon; its volume is yet to be made or found. */
export interface PlannedMount extends MountPoint {
  readonly request?: VolumeRequest
}

/** Another container that a mode or link names. It must exist at create, else `invalid` (400) in Docker's words. */
export interface ContainerReference {
  readonly use: 'pid' | 'ipc' | 'network' | 'link' | 'volumes-from'
  /** Id, name or prefix, as given. */
  readonly ref: string
  /** Links only. */
  readonly alias?: string
}

/** A container decided upon, before anything is made. Everything in it is what the aggregate stores. */
export interface ContainerPlan {
  /** Merged with the image's, defaults filled. */
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  /** Entrypoint and command joined; [0] is the path. */
  readonly args: readonly string[]
  /** By network name; has one for `NetworkMode` unless that is host, none or a container's. */
  readonly endpoints: Readonly<Record<string, EndpointSettings>>
  /** `Mounts` of inspect. */
  readonly mounts: readonly PlannedMount[]
  readonly appArmorProfile: string
  /** Whom to look up before anything is made; ids replace the names in `hostConfig` (`resolveReferences`). */
  readonly references: readonly ContainerReference[]
  /** The answer's `Warnings`. */
  readonly warnings: readonly string[]
}

/** The outcome of `POST /containers/{id}/update`. */
export interface UpdatePlan {
  readonly hostConfig: HostConfig
  /** What changes on a running container; undefined when only the restart policy does. */
  readonly resources: RuntimeResources | undefined
  readonly warnings: readonly string[]
}

/** What of an image a plan reads. */
export type PlanImage = { readonly config: ImageConfig }

/** Options of a log driver, parsed. The path is the caller's. */
export type LogPlan =
  | (Omit<Extract<LogTarget, { driver: 'json-file' | 'local' }>, 'path' | 'attrs'> & {
      /** Names of labels and environment variables to record. */
      readonly labels: readonly string[]
      readonly labelsRegex: string
      readonly env: readonly string[]
      readonly envRegex: string
      readonly tag: string
      readonly mode: 'blocking' | 'non-blocking'
      readonly maxBufferSizeBytes: number
    })
  | { readonly driver: 'none' }
