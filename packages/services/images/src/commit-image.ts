import { fault, invalid, nowText, zeroTime } from '@berth/base'
import { type Digest, type ImageConfig, type ImageRunConfig, sha256 } from '@berth/oci'
import { type AddedLayer, addLayer, maxLayers } from './add-layer.ts'
import { applyChanges } from '@berth/dockerfile'
import { mergeRunConfig } from './merge-run-config.ts'
import { announce, type ImagesContext } from './context.ts'
import { findImage, parseNewName } from './find-image.ts'
import type { CommitRequest } from './images.ts'
import type { ImageRecord } from './image-store.ts'
import { storeNewImage } from './new-image.ts'
import { announceTag, changesOfTag } from './tag-image.ts'
import { unpackImage } from './unpack-image.ts'

/** The end of an archive that holds nothing: such a layer is left out, as Docker does. */
const emptyLayer = sha256(Buffer.alloc(1024))

/** Makes an image of a container: its writable layer on the image it was made from. */
export async function commitImage(context: ImagesContext, request: CommitRequest): Promise<Digest> {
  try {
    return await commit(context, request)
  } finally {
    // A refusal leaves it unread, and whoever writes it waits for a reader.
    request.layer.destroy()
  }
}

async function commit(context: ImagesContext, request: CommitRequest): Promise<Digest> {
  const reference = request.reference ? parseNewName(request.reference) : undefined
  const runConfig = committedConfig(request)
  const base = findImage(context.store, request.parent.id)
  if (base.layers.length >= maxLayers) throw invalid('max depth exceeded')
  await context.space.require(`committing ${request.containerId}`)
  using lease = await context.reclaimer.lease()
  const parent = await unpackImage(context, base)
  const layer = await addLayer(context, lease, { source: request.layer, parent: request.parent.chainId })
  const layers = layer.diffId === emptyLayer ? [] : [layer]
  const image = await storeNewImage(context.content, lease, {
    config: committedImage(request, parent, runConfig, layers),
    layers: [...parent.layers, ...layers.map(({ descriptor }) => descriptor)],
    layerSizes: [...(parent.layerSizes ?? []), ...layers.map(({ sizeBytes }) => sizeBytes)],
    parent: parent.id,
    lastTaggedAt: zeroTime,
  })
  fault('commit: stored')
  context.store.commit([{ kind: 'putImage', image }, ...(reference ? changesOfTag(context, image, reference) : [])])
  announce(context, 'create', image.id)
  if (reference) announceTag(context, image, reference)
  return image.id
}

/** The request's config, else the container's, with the changes; what is open comes from the container. */
function committedConfig({ config, containerConfig, changes }: CommitRequest): ImageRunConfig {
  return mergeRunConfig(applyChanges(config ?? containerConfig, changes), containerConfig)
}

function committedImage(
  { author, message, containerId, containerConfig }: CommitRequest,
  parent: ImageRecord,
  config: ImageRunConfig,
  layers: readonly AddedLayer[],
): ImageConfig {
  const created = nowText()
  const signed = author ? { author } : {}
  const createdBy = (containerConfig.Cmd ?? []).join(' ')
  const entry = {
    created,
    ...(createdBy && { created_by: createdBy }),
    ...signed,
    ...(message && { comment: message }),
    ...(layers.length === 0 && { empty_layer: true }),
  }
  const { os, architecture, variant, rootfs, history = [] } = parent.config
  return {
    os,
    architecture,
    ...(variant && { variant }),
    created,
    ...signed,
    container: containerId,
    config,
    rootfs: { type: 'layers', diff_ids: [...rootfs.diff_ids, ...layers.map(({ diffId }) => diffId)] },
    history: [...history, entry],
  }
}
