import { invalid } from '@berth/base'
import type { Digest } from '@berth/oci'
import type { Readable } from 'node:stream'
import { sendFile } from '../fsutil/send-file.ts'
import { epochOf } from './epoch-of.ts'
import { encodeDescriptor } from './export-image.ts'
import { imageOptions, namesOf, requireDone } from './export-options.ts'
import type { Built, Export, ExportContext, ExportResponse } from './export-outcome.ts'
import { layerCompression } from './layer-compression.ts'
import { compressionPlan, planPublication, type PublicationPlan, publishRequest } from './plan-publication.ts'

/** An archive that both Docker and OCI tools read. The images stay here only if they were here before. */
export async function exportArchive(context: ExportContext, built: Built, wanted: Export): Promise<ExportResponse> {
  const { images, job } = context
  requireDone(wanted)
  const plan = planPublication(built, wanted) ?? askedPlan(wanted)
  if (wanted.type === 'docker' && plan?.isIndex) {
    throw invalid('docker exporter does not currently support exporting manifest lists')
  }
  return await job.progress.vertex(`exporting to ${wanted.type} image format`).run(async (vertex) => {
    const layers = vertex.status('exporting layers')
    const before = new Set((await images.list({ all: true })).map(({ id }) => id))
    const ids: Digest[] = []
    try {
      for (const { outcome } of built.outcomes) {
        ids.push(await outcome.createImage([], imageOptions(context, outcome, wanted)))
      }
      layers.done()
      const { archive, response } = await openArchive(context, built, { wanted, plan, ids })
      const status = vertex.status('sending tarball')
      const options = { exporterId: wanted.id, signal: job.signal, onProgress: status.update }
      try {
        status.done(await sendFile(await context.session(), archive, options))
      } finally {
        archive.destroy()
      }
      return response
    } finally {
      for (const id of new Set(ids)) if (!before.has(id)) await removeUnnamed(context, id)
    }
  })
}

interface Archiving {
  readonly wanted: Export
  readonly plan: PublicationPlan | undefined
  readonly ids: readonly Digest[]
}

async function openArchive(
  { images }: ExportContext,
  built: Built,
  { wanted, plan, ids }: Archiving,
): Promise<{ readonly archive: Readable; readonly response: ExportResponse }> {
  const names = namesOf(wanted)
  const [id = '' as Digest] = ids
  if (!plan) {
    const archive = await images.save([id], { names })
    return { archive, response: { 'containerimage.digest': id, 'containerimage.config.digest': id } }
  }
  const { target, archive } = await images.pack({
    ...publishRequest(built, plan, { ids, names }),
    names,
    rootAnnotations: {
      ...(plan.isIndex ? plan.annotations.indexDescriptor : plan.annotations.manifestDescriptor('')),
      'org.opencontainers.image.created': epochOf(built),
    },
    isDocker: wanted.type === 'docker',
  })
  const response = {
    'containerimage.digest': target.digest,
    'containerimage.descriptor': encodeDescriptor(target),
    ...(ids.length === 1 && { 'containerimage.config.digest': id }),
  }
  return { archive, response }
}

/** Layers lie in archives as they are stored, unless somebody says how they shall be compressed. */
function askedPlan(wanted: Export): PublicationPlan | undefined {
  const isAsked = ['compression', 'compression-level', 'force-compression'].some((name) => name in wanted.attributes)
  const { algorithm, isForced } = layerCompression(wanted.attributes)
  return isAsked && (algorithm !== 'none' || isForced) ? compressionPlan(wanted) : undefined
}

/** Another build may have given it a name meanwhile. */
async function removeUnnamed({ images }: ExportContext, id: Digest): Promise<void> {
  const { repoTags } = await images.resolve(id)
  if (repoTags.length === 0) await images.remove(id, { force: false, prune: false })
}
