import type { Digest } from './digest.ts'

export interface Platform {
  os: string
  architecture: string
  variant?: string
  'os.version'?: string
  'os.features'?: string[]
}

/** OCI image spec, descriptor.md. */
export interface Descriptor {
  mediaType: string
  digest: Digest
  size: number
  urls?: string[]
  annotations?: Record<string, string>
  data?: string
  platform?: Platform
  artifactType?: string
}

/** OCI image spec, manifest.md; Docker's schema 2 has the same shape. */
export interface Manifest {
  schemaVersion: 2
  mediaType?: string
  artifactType?: string
  config: Descriptor
  layers: Descriptor[]
  subject?: Descriptor
  annotations?: Record<string, string>
}

/** OCI image spec, image-index.md; Docker's manifest list has the same shape. */
export interface Index {
  schemaVersion: 2
  mediaType?: string
  artifactType?: string
  manifests: Descriptor[]
  subject?: Descriptor
  annotations?: Record<string, string>
}

/** What of an image's configuration a container inherits; Docker's additions to the OCI fields included. */
export interface ImageRunConfig {
  User?: string
  ExposedPorts?: Record<string, Record<string, never>>
  Env?: string[]
  Entrypoint?: string[] | null
  Cmd?: string[] | null
  Volumes?: Record<string, Record<string, never>> | null
  WorkingDir?: string
  Labels?: Record<string, string> | null
  StopSignal?: string
  ArgsEscaped?: boolean
  Healthcheck?: {
    Test?: string[]
    /** Nanoseconds, as the other durations. */
    Interval?: number
    Timeout?: number
    StartPeriod?: number
    StartInterval?: number
    Retries?: number
  }
  OnBuild?: string[] | null
  Shell?: string[]
}

export interface HistoryEntry {
  created?: string
  created_by?: string
  author?: string
  comment?: string
  empty_layer?: boolean
}

/** OCI image spec, config.md. Its digest is the image's id. */
export interface ImageConfig extends Platform {
  created?: string
  author?: string
  config?: ImageRunConfig
  rootfs: { type: 'layers'; diff_ids: Digest[] }
  history?: HistoryEntry[]
  /** Docker writes these at the top level too. */
  comment?: string
  docker_version?: string
  container?: string
  /** Records of BuildKit's inline cache: JSON in base64. */
  'moby.buildkit.cache.v0'?: string
}
