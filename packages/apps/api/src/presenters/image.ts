import { zeroTime } from '@berth/base'
import {
  type ApiVersion,
  has,
  type ImageConfigResponse,
  type ImageInspectResponse,
  type ImageSummary,
  type ManifestSummary,
} from '@berth/engine-api'
import type { Image, ImagePlatform, Images } from '@berth/images'
import type { ImageRunConfig } from '@berth/oci'

/** Counts that cost to make; -1 where they were not made. */
export interface ImageCounts {
  readonly containers: number
  readonly sharedBytes: number
}

/** One entry of `GET /images/json`. */
export function presentImageSummary(image: Image, counts: ImageCounts, version: ApiVersion): ImageSummary {
  const isUnnamed = image.repoTags.length === 0 && image.repoDigests.length === 0
  const showsNone = isUnnamed && has(version, 'noneImageNames')
  return {
    Containers: counts.containers,
    Created: seconds(image.config.created),
    Id: image.id,
    Labels: image.config.config?.Labels ?? null,
    ParentId: image.parent,
    RepoDigests: showsNone ? ['<none>@<none>'] : presentDigests(image, version),
    RepoTags: showsNone ? ['<none>:<none>'] : [...image.repoTags],
    SharedSize: counts.sharedBytes,
    Size: image.sizeBytes,
    ...(has(version, 'imageVirtualSize') ? { VirtualSize: image.sizeBytes } : {}),
  }
}

/** Older versions have null for none. */
function presentDigests({ repoDigests }: Image, version: ApiVersion): string[] | null {
  return repoDigests.length === 0 && has(version, 'nullRepoDigests') ? null : [...repoDigests]
}

/** One of the `Manifests` of an entry. */
export function presentPlatform(
  { descriptor, platform, image, contentBytes }: ImagePlatform,
  containers: string[],
): ManifestSummary {
  const { mediaType, digest, size } = descriptor
  const { os, architecture, variant } = platform
  const unpackedBytes = image?.sizeBytes ?? 0
  return {
    ID: digest,
    Descriptor: { mediaType, digest, size },
    Available: image !== undefined,
    Kind: 'image',
    Size: { Content: contentBytes, Total: contentBytes + unpackedBytes },
    ImageData: {
      Platform: { os, architecture, ...(variant && { variant }) },
      Containers: containers,
      Size: { Unpacked: unpackedBytes },
    },
  }
}

/** `GET /images/{name}/json`. */
export function presentImage(
  image: Image,
  graphDriver: ReturnType<Images['graphDriver']>,
  version: ApiVersion,
): ImageInspectResponse {
  const { config } = image
  return {
    Id: image.id,
    RepoTags: [...image.repoTags],
    RepoDigests: [...image.repoDigests],
    Parent: image.parent,
    Comment: config.comment ?? config.history?.at(-1)?.comment ?? '',
    ...(config.created ? { Created: presentTime(config.created) } : {}),
    DockerVersion: config.docker_version ?? '',
    Author: config.author ?? '',
    Config: presentConfig(config.config ?? {}, version),
    Architecture: config.architecture,
    ...(config.variant ? { Variant: config.variant } : {}),
    Os: config.os,
    ...(config['os.version'] ? { OsVersion: config['os.version'] } : {}),
    Size: image.sizeBytes,
    ...(has(version, 'imageVirtualSize') ? { VirtualSize: image.sizeBytes } : {}),
    GraphDriver: graphDriver,
    RootFS: {
      Type: config.rootfs.type,
      ...(config.rootfs.diff_ids.length > 0 ? { Layers: config.rootfs.diff_ids } : {}),
    },
    Metadata: { LastTagTime: image.lastTaggedAt || zeroTime },
    ...(has(version, 'imageContainerConfig')
      ? {
          ...(config.container ? { Container: config.container } : {}),
          ContainerConfig: presentConfig({}, version) as never,
        }
      : {}),
  }
}

/** No time of RFC 3339 is longer. An image may have megabytes there, which are not worth a search. */
const longestTime = 64

/** As Go writes times: without zeros at the end of a fraction. What is no time is shown as it is. */
function presentTime(text: string): string {
  if (text.length > longestTime) return text
  const [, whole, fraction, zone] = /^([^.]*)\.(\d+)(Z|[+-][\d:]+)$/.exec(text) ?? []
  if (fraction === undefined) return text
  const digits = fraction.replace(/0+$/, '')
  return digits === '' ? `${whole}${zone}` : `${whole}.${digits}${zone}`
}

/** Fields that only containers have, which images showed empty before 1.50. */
const containerFields = {
  Hostname: '',
  Domainname: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: '',
}

function presentConfig(config: ImageRunConfig, version: ApiVersion): ImageConfigResponse {
  return {
    ...(has(version, 'fullImageConfig') ? containerFields : {}),
    ...config,
    User: config.User ?? '',
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? '',
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? null,
  }
}

/** Seconds since the epoch; an image without a time, or with a senseless one, has 0. */
function seconds(time: string | undefined): number {
  const ms = Date.parse(time ?? '')
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000)
}
