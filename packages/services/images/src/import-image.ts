import { type Borrowed, borrowed, invalid, nowText, unavailable, zeroTime } from '@berth/base'
import { applyChanges } from '@berth/dockerfile'
import { type Digest, hostPlatform, type ImageConfig, parsePlatform, type Platform } from '@berth/oci'
import { addLayer } from './add-layer.ts'
import { announce, type ImagesContext } from './context.ts'
import { parseNewName } from './find-image.ts'
import type { ImportRequest, Progress } from './images.ts'
import { storeNewImage } from './new-image.ts'
import { type Downloader, openRemote } from './open-remote.ts'
import { announceTag, changesOfTag } from './tag-image.ts'

/** Makes an image of one layer from a root file system's tar. Everything but the tar is judged before it is read. */
export async function importImage(
  context: ImagesContext,
  request: ImportRequest,
  { progress, downloader }: { readonly progress: Progress; readonly downloader: Downloader | undefined },
): Promise<Digest> {
  const reference = request.reference ? parseNewName(request.reference) : undefined
  const platform = platformOf(request.platform)
  const runConfig = applyChanges({}, request.changes)
  await context.space.require('importing an image')
  using source = await openSource(request, progress, downloader)
  using lease = await context.reclaimer.lease()
  const layer = await addLayer(context, lease, { source, parent: undefined })
  const created = nowText()
  const comment = request.message ? { comment: request.message } : {}
  const config: ImageConfig = {
    ...platform,
    created,
    ...comment,
    config: runConfig,
    rootfs: { type: 'layers', diff_ids: [layer.diffId] },
    history: [{ created, ...comment }],
  }
  const layers = { layers: [layer.descriptor], layerSizes: [layer.sizeBytes] }
  const image = await storeNewImage(context.content, lease, { config, ...layers, parent: '', lastTaggedAt: zeroTime })
  context.store.commit([{ kind: 'putImage', image }, ...(reference ? changesOfTag(context, image, reference) : [])])
  if (reference) announceTag(context, image, reference)
  announce(context, 'import', image.id)
  return image.id
}

async function openSource(
  { source, signal = new AbortController().signal }: ImportRequest,
  progress: Progress,
  downloader: Downloader | undefined,
): Promise<Borrowed> {
  if (typeof source !== 'string') return borrowed(source)
  if (!downloader) throw unavailable('this engine fetches nothing from elsewhere')
  const remote = await openRemote(downloader, source, { progress, signal })
  return {
    [Symbol.asyncIterator]: () => remote[Symbol.asyncIterator]() as AsyncIterator<Buffer>,
    [Symbol.dispose]: () => void remote.destroy(),
  }
}

function platformOf(text: string | undefined): Platform {
  if (!text) return hostPlatform()
  const platform = parsePlatform(text)
  if (platform.os !== 'linux') throw invalid('operating system is not supported')
  return platform
}
