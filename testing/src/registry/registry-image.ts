import { gzipSync, zstdCompressSync } from 'node:zlib'
import { hostArchitecture, type FixtureFile, packTar, pinnedTime } from '../fixtures/image.ts'
import { type BlobDescriptor, digestOf, type RegistryContent } from './registry-content.ts'

export interface RegistryImage {
  /** One layer each. */
  readonly layers: readonly (readonly FixtureFile[])[]
  readonly config?: Readonly<Record<string, unknown>>
  readonly tag?: string
  /** Go's names; default: this machine's. */
  readonly architecture?: string
  readonly variant?: string
  readonly compression?: 'gzip' | 'zstd' | 'none'
  /** Docker's schema 2 rather than OCI's media types. */
  readonly isDocker?: boolean
}

export interface AddedImage {
  readonly manifest: BlobDescriptor
  readonly config: BlobDescriptor
  readonly layers: readonly BlobDescriptor[]
}

const ociTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
}
const dockerTypes = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  index: 'application/vnd.docker.distribution.manifest.list.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar',
}

/** Puts an image into a repository: blobs, manifest and tag. */
export function addImage(content: RegistryContent, name: string, image: RegistryImage): AddedImage {
  const types = image.isDocker ? dockerTypes : ociTypes
  const tars = image.layers.map(packTar)
  const layers = tars.map((tar) => addLayer(content, name, tar, image))
  const configuration = {
    architecture: image.architecture ?? hostArchitecture,
    ...(image.variant !== undefined && { variant: image.variant }),
    os: 'linux',
    created: pinnedTime,
    config: image.config ?? {},
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
    history: tars.map(() => ({ created: pinnedTime, created_by: 'berth fixture' })),
  }
  const config = content.addBlob(name, Buffer.from(JSON.stringify(configuration)), types.config)
  const document = { schemaVersion: 2, mediaType: types.manifest, config, layers }
  const manifest = content.addManifest(name, document, { ...(image.tag !== undefined && { tag: image.tag }) })
  return { manifest, config, layers }
}

/** An index over an image a platform. */
export function addMultiImage(
  content: RegistryContent,
  name: string,
  images: readonly (RegistryImage & { readonly architecture: string })[],
  options: { readonly tag?: string; readonly isDocker?: boolean } = {},
): { readonly index: BlobDescriptor; readonly images: readonly AddedImage[] } {
  const added = images.map((image) => addImage(content, name, image))
  const manifests = added.map(({ manifest }, i) => {
    const { architecture, variant } = images[i]!
    return { ...manifest, platform: { architecture, os: 'linux', ...(variant !== undefined && { variant }) } }
  })
  const mediaType = (options.isDocker ? dockerTypes : ociTypes).index
  const document = { schemaVersion: 2, mediaType, manifests }
  const index = content.addManifest(name, document, { ...(options.tag !== undefined && { tag: options.tag }) })
  return { index, images: added }
}

function addLayer(content: RegistryContent, name: string, tar: Buffer, image: RegistryImage): BlobDescriptor {
  const mark = image.isDocker ? '.' : '+'
  const type = (image.isDocker ? dockerTypes : ociTypes).layer
  const compression = image.compression ?? 'gzip'
  if (compression === 'none') return content.addBlob(name, tar, type)
  const bytes = compression === 'gzip' ? gzipSync(tar) : zstdCompressSync(tar)
  return content.addBlob(name, bytes, `${type}${mark}${compression}`)
}
