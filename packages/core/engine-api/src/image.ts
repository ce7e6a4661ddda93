import type { HealthConfig } from './container-config.ts'
import type { GraphDriverResponse } from './container.ts'

/** One entry of `GET /images/json`. */
export interface ImageSummary {
  /** -1: not computed. */
  Containers: number
  /** Seconds since the epoch. */
  Created: number
  Id: string
  Labels: Record<string, string> | null
  ParentId: string
  /** Null for none before 1.43. */
  RepoDigests: string[] | null
  RepoTags: string[]
  /** Bytes; -1: not computed. */
  SharedSize: number
  Size: number
  /** Until 1.43. */
  VirtualSize?: number
  /** With `manifests`, of an image that has several platforms. */
  Manifests?: ManifestSummary[]
}

/** One platform of an image, or what else its index names. */
export interface ManifestSummary {
  /** Digest of the manifest. */
  ID: string
  Descriptor: { mediaType: string; digest: string; size: number }
  /** All of it is here. */
  Available: boolean
  Kind: 'image' | 'attestation' | 'unknown'
  /** Bytes: of what a registry has of it, and with what is unpacked. */
  Size: { Content: number; Total: number }
  ImageData?: {
    Platform: { os: string; architecture: string; variant?: string }
    /** Ids of those that use it. */
    Containers: string[]
    Size: { Unpacked: number }
  }
}

/** What an image says of how to run it; from 1.50 without the fields that only containers have. */
export interface ImageConfigResponse {
  User: string
  ExposedPorts?: Record<string, Record<string, never>>
  Env: string[] | null
  Cmd: string[] | null
  Healthcheck?: HealthConfig
  ArgsEscaped?: boolean
  Volumes: Record<string, Record<string, never>> | null
  WorkingDir: string
  Entrypoint: string[] | null
  OnBuild: string[] | null
  Labels: Record<string, string> | null
  StopSignal?: string
  Shell?: string[]
}

/** `GET /images/{name}/json`. */
export interface ImageInspectResponse {
  Id: string
  RepoTags: string[]
  RepoDigests: string[]
  Parent: string
  Comment: string
  /** RFC 3339; absent when the image does not say. */
  Created?: string
  DockerVersion: string
  Author: string
  Config: ImageConfigResponse | null
  Architecture: string
  Variant?: string
  Os: string
  OsVersion?: string
  /** Bytes. */
  Size: number
  VirtualSize?: number
  GraphDriver: GraphDriverResponse
  RootFS: { Type: string; Layers?: string[] }
  Metadata: { LastTagTime: string }
  /** Until 1.44. */
  Container?: string
  ContainerConfig?: Record<string, unknown>
}

/** One entry of `GET /images/{name}/history`, newest first. */
export interface ImageHistoryResponseItem {
  Comment: string
  /** Seconds since the epoch. */
  Created: number
  CreatedBy: string
  Id: string
  /** Bytes. */
  Size: number
  Tags: string[] | null
}

/** One entry of `DELETE /images/{name}`. */
export interface ImageDeleteResponseItem {
  Untagged?: string
  Deleted?: string
}

export interface ImagesPruneResponse {
  ImagesDeleted: ImageDeleteResponseItem[] | null
  /** Bytes. */
  SpaceReclaimed: number
}

/** One object of the streams of load, import, pull, push and build. */
export interface ProgressMessage {
  stream?: string
  status?: string
  id?: string
  progress?: string
  progressDetail?: { current?: number; total?: number; start?: number; hidecounts?: boolean; units?: string }
  error?: string
  errorDetail?: { code?: number; message: string }
  aux?: unknown
}

/** `GET /distribution/{name}/json`. */
export interface DistributionResponse {
  Descriptor: { mediaType: string; digest: string; size: number }
  Platforms: { os: string; architecture: string; variant?: string; 'os.version'?: string; 'os.features'?: string[] }[]
}

/** One entry of `GET /images/search`. */
export interface SearchResultResponse {
  name: string
  description: string
  star_count: number
  is_official: boolean
  is_automated: boolean
}

/** `POST /auth`. */
export interface AuthResponse {
  IdentityToken: string
  Status: string
}
