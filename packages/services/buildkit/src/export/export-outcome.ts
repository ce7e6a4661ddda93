import { invalid } from '@berth/base'
import type { BuildOutcome } from '@berth/builder'
import type { Images } from '@berth/images'
import { formatReference, parseReference } from '@berth/oci'
import { sendFile } from '../fsutil/send-file.ts'
import { sendTree } from '../fsutil/send-tree.ts'
import type { Job } from '../jobs/job.ts'
import type { Session } from '../session/session.ts'

/** One `--output`. */
export interface Export {
  /** By which the client knows where it goes. */
  readonly id: number
  readonly type: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface ExportContext {
  readonly images: Pick<Images, 'save'>
  readonly job: Job
  session(): Promise<Session>
}

/** What the client is told of an export. */
export type ExportResponse = Readonly<Record<string, string>>

/** Brings an outcome where the client wants it. */
export async function exportOutcome(
  context: ExportContext,
  outcome: BuildOutcome,
  wanted: Export,
): Promise<ExportResponse> {
  switch (wanted.type) {
    case 'moby':
    case 'image':
      return await exportImage(context, outcome, wanted)
    case 'local':
      return await exportTree(context, outcome, wanted)
    case 'tar':
      return await exportTar(context, outcome, wanted)
    case 'docker':
    case 'oci':
      return await exportArchive(context, outcome, wanted)
    default:
      throw invalid(`exporter ${JSON.stringify(wanted.type)} could not be found`)
  }
}

const namesOf = ({ attributes }: Export): string[] =>
  (attributes['name'] ?? '')
    .split(',')
    .filter(Boolean)
    .map((name) => formatReference(parseReference(name)))

/** With `push` the client pushes the image itself when it is here, as with every engine whose worker has no snapshotter. */
async function exportImage({ job }: ExportContext, outcome: BuildOutcome, wanted: Export): Promise<ExportResponse> {
  const names = namesOf(wanted)
  return await job.progress.vertex('exporting to image').run(async (vertex) => {
    const layers = vertex.status('exporting layers')
    const id = await outcome.createImage(names)
    layers.done()
    vertex.status(`writing image ${id}`).done()
    for (const name of names) vertex.status(`naming to ${name}`).done()
    return {
      'containerimage.digest': id,
      'containerimage.config.digest': id,
      ...(names.length > 0 && { 'image.name': names.join(',') }),
    }
  })
}

async function exportTree(context: ExportContext, outcome: BuildOutcome, { id }: Export): Promise<ExportResponse> {
  const { signal, progress } = context.job
  return await progress.vertex('exporting to client directory').run(async (vertex) => {
    const status = vertex.status('copying files')
    const root = await outcome.rootPath()
    const options = { exporterId: id, signal, onProgress: status.update }
    status.done(await sendTree(await context.session(), root, options))
    return {}
  })
}

async function exportTar(context: ExportContext, outcome: BuildOutcome, { id }: Export): Promise<ExportResponse> {
  const { signal, progress } = context.job
  return await progress.vertex('exporting to client tarball').run(async (vertex) => {
    const status = vertex.status('sending tarball')
    const options = { exporterId: id, signal, onProgress: status.update }
    status.done(await sendFile(await context.session(), await outcome.pack(), options))
    return {}
  })
}

/** An archive that both Docker and OCI tools read. */
async function exportArchive(context: ExportContext, outcome: BuildOutcome, wanted: Export): Promise<ExportResponse> {
  const { signal, progress } = context.job
  const names = namesOf(wanted)
  return await progress.vertex(`exporting to ${wanted.type} image format`).run(async (vertex) => {
    const layers = vertex.status('exporting layers')
    const imageId = await outcome.createImage(names)
    layers.done()
    const status = vertex.status('sending tarball')
    const archive = await context.images.save(names.length > 0 ? names : [imageId])
    status.done(
      await sendFile(await context.session(), archive, { exporterId: wanted.id, signal, onProgress: status.update }),
    )
    return { 'containerimage.digest': imageId, 'containerimage.config.digest': imageId }
  })
}
