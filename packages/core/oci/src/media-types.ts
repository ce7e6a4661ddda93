/** Media types of the OCI image spec (media-types.md) and of Docker's schema 2, which it grew from. */
export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layerTar: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayerTar: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerForeignLayerGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
} as const

const manifestTypes: readonly string[] = [mediaTypes.manifest, mediaTypes.dockerManifest]
const indexTypes: readonly string[] = [mediaTypes.index, mediaTypes.dockerManifestList]
const configTypes: readonly string[] = [mediaTypes.config, mediaTypes.dockerConfig]

export const isManifestType = (mediaType: string): boolean => manifestTypes.includes(mediaType)
export const isIndexType = (mediaType: string): boolean => indexTypes.includes(mediaType)
export const isConfigType = (mediaType: string): boolean => configTypes.includes(mediaType)

/** Docker's schema 1, signed or not: known only to be refused. */
export const isSchema1Type = (mediaType: string): boolean =>
  mediaType.startsWith('application/vnd.docker.distribution.manifest.v1+')

/** The suffixes that a layer's media type may end in; a foreign layer's bytes live elsewhere and are not ours to keep. */
export const isLayerType = (mediaType: string): boolean =>
  /^application\/vnd\.(?:oci\.image\.layer\.(?:nondistributable\.)?v1\.tar|docker\.image\.rootfs\.(?:foreign\.)?diff\.tar)(?:[.+](?:gzip|zstd))?$/.test(
    mediaType,
  )
