import type { AuthConfig } from '@berth/engine-api'
import type { Descriptor, Digest, ImageConfig } from '@berth/oci'
import type { ImageRunConfig } from '@berth/oci'
import type { SearchResult } from '@berth/registry'
import type { Readable } from 'node:stream'
import type { ImagePlatform } from './list-platforms.ts'
import type { PullRequest } from './pull/pull-image.ts'
import type { PublishRequest } from './publish/publication.ts'
import type { PackRequest } from './publish/publish-images.ts'
import type { PushRequest } from './push/push-image.ts'
import type { OpenRepository } from './registry/open-repository.ts'
import type { Distribution, RegistryQuestion, SearchWish } from './registry/ask-registry.ts'
import type { RemoveOptions } from './remove-image.ts'

/** An image of one platform that is in the store, with its layers unpacked or ready to be. */
export interface Image {
  /** Digest of the config. */
  readonly id: Digest
  readonly config: ImageConfig
  /** Digest of the manifest that names it. */
  readonly manifest: Digest
  /** Chain id of all layers; undefined for an image of no layer. */
  readonly chainId: Digest | undefined
  /** Familiar names: `busybox:latest`; sorted. */
  readonly repoTags: readonly string[]
  /** `busybox@sha256:...`; sorted. */
  readonly repoDigests: readonly string[]
  /** Bytes of the unpacked layers. */
  readonly sizeBytes: number
  /** Id of the image it was committed from, '' when unknown. */
  readonly parent: Digest | ''
  /** RFC 3339, of the last time a tag was put on it; the zero time when never. */
  readonly lastTaggedAt: string
}

export interface ImageListQuery {
  readonly all?: boolean
  /** The wire's `filters`, decoded: name to the accepted values. Unknown names are `invalid`. */
  readonly filters?: Readonly<Record<string, readonly string[]>>
}

export interface ImageHistoryItem {
  readonly Id: string
  readonly Created: number
  readonly CreatedBy: string
  readonly Tags: string[] | null
  readonly Size: number
  readonly Comment: string
}

export interface ImageDeleteItem {
  readonly Untagged?: string
  readonly Deleted?: string
}

export interface ImportRequest {
  /** Stays the caller's to destroy; what a failure leaves unread is drained. A text is a URL. */
  readonly source: Readable | string
  /** Ends a download. */
  readonly signal?: AbortSignal
  readonly reference?: string
  readonly message?: string
  /** Dockerfile instructions, one each. */
  readonly changes: readonly string[]
  readonly platform?: string
}

export interface CommitRequest {
  readonly containerId: string
  /** The container's writable layer as a tar. */
  readonly layer: Readable
  readonly parent: Image
  /** The container's configuration, before `changes` and `config`. */
  readonly containerConfig: ImageRunConfig
  /** Overrides from the request's body. */
  readonly config?: ImageRunConfig
  readonly changes: readonly string[]
  readonly reference?: string
  readonly author?: string
  readonly message?: string
}

/** One layer of an image that is unpacked. */
export interface ImageLayer {
  readonly descriptor: Descriptor
  readonly diffId: Digest
  readonly chainId: Digest
  /** Of its files. */
  readonly sizeBytes: number
}

export interface CreateImageRequest {
  /** `rootfs` and the layers agree. */
  readonly config: ImageConfig
  /** In the store and unpacked. */
  readonly layers: readonly ImageLayer[]
  readonly parent: Digest | ''
  readonly references: readonly string[]
}

export interface SaveOptions {
  readonly platform?: string
  /** Under these the images go, whatever they are called here. */
  readonly names?: readonly string[]
}

/** What a container engine says about who uses an image; asked at deletion and pruning. */
export interface ImageUse {
  readonly containerId: string
  readonly imageId: Digest
  readonly running: boolean
}

/** Progress as one JSON object of Docker's stream. */
export type Progress = (message: Readonly<Record<string, unknown>>) => void

export interface Images {
  /** By reference, id, id prefix or digest; Docker's `No such image: x:v1` when absent (404). */
  resolve(reference: string, platform?: string): Promise<Image>
  /** Makes sure that every layer of `image` is unpacked, so that its chain id can be a snapshot's parent. */
  ensureUnpacked(image: Image): Promise<void>
  list(query: ImageListQuery): Promise<Image[]>
  /** What the index that the image is known by has; nothing when there is none. */
  platforms(image: Pick<Image, 'id'>): Promise<ImagePlatform[]>
  /** Where its topmost layer is on this host, as inspect shows it. `Data` is null where that is not unpacked. */
  graphDriver(image: Pick<Image, 'chainId'>): {
    readonly Name: string
    readonly Data: Readonly<Record<string, string>> | null
  }
  history(reference: string): Promise<ImageHistoryItem[]>
  tag(source: string, target: string): Promise<void>
  remove(reference: string, options: RemoveOptions): Promise<ImageDeleteItem[]>
  prune(
    filters: Readonly<Record<string, readonly string[]>>,
  ): Promise<{ deleted: ImageDeleteItem[]; reclaimedBytes: number }>
  /** A docker-save or OCI-layout archive, plain or compressed; the stream is not destroyed, see `ImportRequest`. */
  load(
    archive: Readable,
    options: { readonly quiet: boolean; readonly platform?: string },
    progress: Progress,
  ): Promise<void>
  /** From the registry that the reference names; who aborts leaves others who pull the same undisturbed. */
  pull(request: PullRequest, progress: Progress): Promise<void>
  /** What came from a registry goes back byte by byte; plain layers of our own go compressed. */
  push(request: PushRequest, progress: Progress): Promise<void>
  /** Whether a registry takes the credentials; resolves with the identity token that it gives, or ''. */
  checkCredentials(auth: AuthConfig, signal?: AbortSignal): Promise<string>
  /** What a registry says of a name. */
  distribution(name: string, question: RegistryQuestion): Promise<Distribution>
  search(wish: SearchWish): Promise<SearchResult[]>
  /** A repository of a registry, for what is no image. */
  openRepository(request: { readonly reference: string; readonly auth?: AuthConfig | undefined }): OpenRepository
  /** An archive that both Docker and OCI tools read. */
  save(references: readonly string[], options?: SaveOptions): Promise<Readable>
  /** The id is the caller's to announce: Docker's last line is `{"status":"sha256:..."}`. */
  importRootfs(request: ImportRequest, progress: Progress): Promise<Digest>
  commit(request: CommitRequest): Promise<Digest>
  /** The layers of an image, base first, unpacked. */
  layersOf(image: Image): Promise<readonly ImageLayer[]>
  /** Makes an image of layers that are here, under names that others may have had. */
  create(request: CreateImageRequest): Promise<Digest>
  /** Has names stand for an index, or a manifest with annotations, of images that are here. */
  publish(request: PublishRequest & { readonly references: readonly string[] }): Promise<Descriptor>
  /** The same as an archive, an OCI layout; the stream is the caller's to destroy. */
  pack(request: PackRequest): Promise<{ readonly target: Descriptor; readonly archive: Readable }>
  /** The containers service registers itself here (images never import containers). */
  onUseQuery(query: () => readonly ImageUse[]): void
}
