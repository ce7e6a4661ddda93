import type { RuntimeResources } from '@berth/oci'
import type { HostFacts } from '../host/host-facts.ts'

/** The user a process runs as, resolved inside the image's files (`resolveUser`). */
export interface ResolvedUser {
  readonly uid: number
  readonly gid: number
  readonly additionalGids: readonly number[]
  /** `HOME` of the process. */
  readonly home: string
}

/** Where a namespace comes from: a new one, the host's, or the one pinned at a path. */
export type NamespaceSource = 'private' | 'host' | { readonly path: string }

export type Propagation = 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave'

/** A mount the user asked for. Destinations are absolute and clean. */
export type SpecMount =
  | {
      readonly type: 'bind'
      readonly source: string
      readonly destination: string
      readonly readOnly: boolean
      /** False: only the mount at `source`, none below it. */
      readonly recursive: boolean
      /** What `readOnly` does to the mounts below: nothing, read-only where the kernel can, or fail. */
      readonly readOnlyRecursion: 'none' | 'if-possible' | 'force'
      readonly propagation: Propagation
      /** What may not be done where the source is mounted (`nosuid`, `nodev`, `noexec`): it holds in the container too. */
      readonly restrictions?: readonly string[]
    }
  | {
      readonly type: 'tmpfs'
      readonly destination: string
      /** Mount options beyond the defaults (`noexec,nosuid,nodev`), later ones win. */
      readonly options: readonly string[]
      readonly readOnly?: boolean
    }

/** A device node as it is on the host (`readDevices`). */
export interface SpecDevice {
  readonly type: 'c' | 'b'
  readonly major: number
  readonly minor: number
  /** Permission bits. */
  readonly fileMode: number
  readonly uid: number
  readonly gid: number
  /** In the container. */
  readonly path: string
  /** Of `rwm`; '' adds no cgroup rule. */
  readonly cgroupPermissions: string
}

/** A device cgroup rule (`c 42:* rmw`); -1 stands for any number. */
export interface DeviceRule {
  readonly type: 'a' | 'b' | 'c'
  readonly major: number
  readonly minor: number
  readonly access: string
}

/** The host files bound over /etc; undefined ones are left as the image has them. */
export interface HostFiles {
  readonly hostsPath?: string
  readonly hostnamePath?: string
  readonly resolvConfPath?: string
}

/**
 * Everything `buildSpec` needs, engine words already resolved: no name to look up, no file to read.
 * Also what the builder fills in for a RUN step.
 */
export interface SpecInput {
  readonly id: string
  readonly facts: HostFacts
  /** The mounted root filesystem on the host. */
  readonly rootPath: string
  readonly isRootReadOnly: boolean
  readonly args: readonly string[]
  /** Complete (`composeEnv`). */
  readonly env: readonly string[]
  readonly cwd: string
  readonly user: ResolvedUser
  readonly terminal: boolean
  readonly consoleSize?: { readonly rows: number; readonly columns: number }
  /** Set in a private UTS namespace only. */
  readonly hostname: string
  readonly domainname: string
  readonly namespaces: {
    readonly pid: NamespaceSource
    readonly network: NamespaceSource
    readonly ipc: NamespaceSource
    readonly uts: NamespaceSource
    readonly cgroup: NamespaceSource
  }
  /** The network namespace is another container's: its sysctls are left as they are. */
  readonly isNetworkShared?: boolean
  readonly hostFiles: HostFiles
  /** /dev/shm: a tmpfs of its own, the directory at a host path bound there, or none. */
  readonly shm: { readonly sizeBytes: number } | { readonly path: string } | undefined
  readonly mounts: readonly SpecMount[]
  readonly isPrivileged: boolean
  /** Names with CAP_, or ALL. */
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  /** JSON text of a profile in Docker's format, or a word. `default` is none under privileged. */
  readonly seccomp: 'default' | 'unconfined' | { readonly profile: string }
  readonly noNewPrivileges: boolean
  /** '' or `unconfined`: none is set. */
  readonly appArmorProfile: string
  readonly maskedPaths: readonly string[]
  readonly readonlyPaths: readonly string[]
  /** Under privileged: the host's (`readHostDevices`). */
  readonly devices: readonly SpecDevice[]
  readonly deviceRules: readonly DeviceRule[]
  /** The user's; defaults are added here. */
  readonly sysctls: Readonly<Record<string, string>>
  /** `nofile`, soft, hard: only what was asked for. */
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[]
  readonly oomScoreAdj: number
  /** `rw` at /sys/fs/cgroup without privilege (`writable-cgroups`). */
  readonly hasWritableCgroups: boolean
  /** Limits (`planResources`); device rules are added here. */
  readonly resources: RuntimeResources
  /** `/docker/<id>`: slash form for cgroupfs, `slice:prefix:name` for systemd. */
  readonly cgroupsPath: string
  /** Host path of a tiny init to bind at /sbin/docker-init and put before `args`; undefined: none. */
  readonly initPath?: string
  readonly annotations: Readonly<Record<string, string>>
}
