import { invalid } from '@berth/base'
import type { BuildOutcome, ImageOptions } from '@berth/builder'
import type { Images } from '@berth/images'
import { formatReference, parseReference } from '@berth/oci'
import { sendFile } from '../fsutil/send-file.ts'
import { sendTree } from '../fsutil/send-tree.ts'
import { exportArchive } from './export-archive.ts'
import type { Job } from '../jobs/job.ts'
import type { Vertex } from '../progress/vertex.ts'
import { askCredentials } from '../session/ask-client.ts'
import type { Session } from '../session/session.ts'

/** One `--output`. */
export interface Export {
  /** By which the client knows where it goes. */
  readonly id: number
  readonly type: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface ExportContext {
  readonly images: Pick<Images, 'list' | 'resolve' | 'remove' | 'save' | 'push'>
  readonly job: Job
  /** The image tells of the steps that made it. */
  readonly isCache: boolean
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

export const namesOf = ({ attributes }: Export): string[] =>
  (attributes['name'] ?? '')
    .split(',')
    .filter(Boolean)
    .map((name) => formatReference(parseReference(name)))

/** With `push` the image goes to its names' registries too. */
async function exportImage(context: ExportContext, outcome: BuildOutcome, wanted: Export): Promise<ExportResponse> {
  const { job, isCache } = context
  const names = namesOf(wanted)
  requireDone(wanted)
  return await job.progress.vertex('exporting to image').run(async (vertex) => {
    const layers = vertex.status('exporting layers')
    const id = await outcome.createImage(names, imageOptions(context, outcome, wanted))
    layers.done()
    if (isCache) vertex.status('preparing layers for inline cache').done()
    vertex.status(`writing image ${id}`).done()
    for (const name of names) vertex.status(`naming to ${name}`).done()
    const digest = wanted.attributes['push'] === 'true' ? await pushImage(context, vertex, names) : id
    return {
      'containerimage.digest': digest,
      'containerimage.config.digest': id,
      ...(names.length > 0 && { 'image.name': names.join(',') }),
    }
  })
}

export function imageOptions(
  { isCache }: ExportContext,
  { epochSeconds }: BuildOutcome,
  { attributes }: Export,
): ImageOptions {
  // Without a time there is nothing to write, as with BuildKit.
  return { isCache, rewritesTimes: attributes['rewrite-timestamp'] === 'true' && epochSeconds !== undefined }
}

/** Throws for what changes an image's bytes, or where it goes, and is not done. */
export function requireDone({ attributes }: Export): void {
  const wrong = Object.entries(refused).find(([name, value]) => attributes[name] === value)
  if (wrong) throw invalid(`exporter option ${wrong.join('=')} is not supported`)
  const annotation = Object.keys(attributes).find((name) => name.startsWith('annotation'))
  if (annotation !== undefined) throw invalid(`annotations are not supported: ${annotation}`)
  const compression = attributes['compression'] ?? 'gzip'
  if (!['gzip', 'uncompressed'].includes(compression)) throw invalid(`unsupported compression ${compression}`)
}

const refused = { 'push-by-digest': 'true', 'registry.insecure': 'true' }

/** Pushes each name with the credentials of the client; returns the digest that the image has there. */
async function pushImage(context: ExportContext, vertex: Vertex, names: readonly string[]): Promise<string> {
  const { images, job } = context
  if (names.length === 0) throw invalid('tag is needed when pushing to registry')
  let digest = ''
  for (const reference of names) {
    const status = vertex.status(`pushing layers for ${reference}`)
    const auth = await askCredentials(await context.session(), parseReference(reference).domain, job.signal)
    const request = { reference, signal: job.signal, ...(auth && { auth }) }
    await images.push(request, ({ aux }) => {
      const pushed = (aux as { readonly Digest?: unknown } | undefined)?.Digest
      if (typeof pushed === 'string') digest = pushed
    })
    status.done()
  }
  return digest
}

async function exportTree(context: ExportContext, outcome: BuildOutcome, { id }: Export): Promise<ExportResponse> {
  const { signal, progress } = context.job
  return await progress.vertex('exporting to client directory').run(async (vertex) => {
    const status = vertex.status('copying files')
    const root = await outcome.rootPath()
    const { epochSeconds } = outcome
    const options = { exporterId: id, signal, onProgress: status.update, epochSeconds }
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
