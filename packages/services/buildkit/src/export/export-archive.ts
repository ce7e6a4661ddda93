import type { BuildOutcome } from '@berth/builder'
import type { Digest } from '@berth/oci'
import { sendFile } from '../fsutil/send-file.ts'
import {
  type Export,
  type ExportContext,
  type ExportResponse,
  imageOptions,
  namesOf,
  requireDone,
} from './export-outcome.ts'

/** An archive that both Docker and OCI tools read. The image stays here only if it was here before. */
export async function exportArchive(
  context: ExportContext,
  outcome: BuildOutcome,
  wanted: Export,
): Promise<ExportResponse> {
  const { images, job } = context
  const names = namesOf(wanted)
  requireDone(wanted)
  return await job.progress.vertex(`exporting to ${wanted.type} image format`).run(async (vertex) => {
    const layers = vertex.status('exporting layers')
    const before = new Set((await images.list({ all: true })).map(({ id }) => id))
    const imageId = await outcome.createImage([], imageOptions(context, outcome, wanted))
    layers.done()
    try {
      const status = vertex.status('sending tarball')
      const archive = await images.save([imageId], { names })
      const options = { exporterId: wanted.id, signal: job.signal, onProgress: status.update }
      status.done(await sendFile(await context.session(), archive, options))
      return { 'containerimage.digest': imageId, 'containerimage.config.digest': imageId }
    } finally {
      if (!before.has(imageId)) await removeUnnamed(context, imageId)
    }
  })
}

/** Another build may have given it a name meanwhile. */
async function removeUnnamed({ images }: ExportContext, id: Digest): Promise<void> {
  const { repoTags } = await images.resolve(id)
  if (repoTags.length === 0) await images.remove(id, { force: false, prune: false })
}
