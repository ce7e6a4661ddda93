import type { TypedAttributes } from '@berth/buildkit-client'
import type { Ulimit } from '@berth/engine-api'

/** One `--output`; `dest` is ours, what is in `attrs` the engine's. */
export interface Output extends TypedAttributes {
  /** `-` is standard output; '' is none. */
  readonly dest: string
}

/** A secret as it was asked for; without a place, that of its id's name. */
export interface SecretSpec {
  readonly id: string
  readonly file: string
  readonly env: string
}

/** Agents or keys by an id; without paths, the agent of SSH_AUTH_SOCK. */
export interface SshSpec {
  readonly id: string
  readonly paths: readonly string[]
}

/** A question to the frontend instead of a build. */
export interface CallSpec {
  /** `lint`, `outline`, `targets`, `subrequests.describe`. */
  readonly name: string
  /** `json`, or '' for people. */
  readonly format: string
  readonly ignoresStatus: boolean
}

/** A build with all that flags, files and variables decided. */
export interface BuildRequest {
  /** Which one of several it is; '' alone. */
  readonly name: string
  /** A directory, a URL, `-` for standard input. */
  readonly context: string
  /** `-` is standard input; '' is the context's own. */
  readonly dockerfile: string
  readonly dockerfileInline: string | undefined
  /** Directories, `docker-image://`, `target:` another of the builds, URLs. */
  readonly namedContexts: Readonly<Record<string, string>>
  readonly target: string
  readonly tags: readonly string[]
  readonly buildArgs: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly platforms: readonly string[]
  readonly outputs: readonly Output[]
  readonly cacheFrom: readonly TypedAttributes[]
  readonly cacheTo: readonly TypedAttributes[]
  readonly secrets: readonly SecretSpec[]
  readonly ssh: readonly SshSpec[]
  /** By type, as the engine takes them; undefined: not wanted. */
  readonly attests: Readonly<Record<string, string | undefined>>
  readonly entitlements: readonly string[]
  readonly networkMode: string
  readonly extraHosts: readonly string[]
  readonly shmSizeBytes: number
  readonly ulimits: readonly Ulimit[]
  readonly cgroupParent: string
  readonly noCache: boolean
  readonly noCacheFilter: readonly string[]
  readonly pull: boolean
  readonly call: CallSpec | undefined
}

/** A request for nothing in particular: what flags do not say. */
export const emptyRequest: BuildRequest = {
  name: '',
  context: '.',
  dockerfile: '',
  dockerfileInline: undefined,
  namedContexts: {},
  target: '',
  tags: [],
  buildArgs: {},
  labels: {},
  platforms: [],
  outputs: [],
  cacheFrom: [],
  cacheTo: [],
  secrets: [],
  ssh: [],
  attests: {},
  entitlements: [],
  networkMode: '',
  extraHosts: [],
  shmSizeBytes: 0,
  ulimits: [],
  cgroupParent: '',
  noCache: false,
  noCacheFilter: [],
  pull: false,
  call: undefined,
}
