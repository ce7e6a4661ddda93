import { invalid } from '@berth/base'
import { type Descriptor, type Digest, parseReference } from '@berth/oci'
import type { Vertex } from '../progress/vertex.ts'
import { askCredentials } from '../session/ask-client.ts'
import { imageOptions, namesOf, requireDone } from './export-options.ts'
import { isUnusual, layerCompression } from './layer-compression.ts'
import type { Built, Export, ExportContext, ExportResponse } from './export-outcome.ts'
import { compressionPlan, planPublication, type PublicationPlan, publishRequest } from './plan-publication.ts'

/** An image of the store, or an index of several. With `push` it goes to its names' registries too. */
export async function exportImage(context: ExportContext, built: Built, wanted: Export): Promise<ExportResponse> {
  const names = namesOf(wanted)
  requireDone(wanted)
  const plan = planPublication(built, wanted) ?? pushedPlan(wanted)
  return await context.job.progress.vertex('exporting to image').run(async (vertex) => {
    const ids = await createImages(context, built, { wanted, tags: plan ? [] : names, vertex })
    const target = plan && (await publish(context, built, { plan, ids, names, vertex }))
    for (const name of names) vertex.status(`naming to ${name}`).done()
    const pushed = wanted.attributes['push'] === 'true' ? await pushImage(context, vertex, names) : undefined
    return {
      ...describe(ids, target, pushed),
      ...(names.length > 0 && { 'image.name': names.join(',') }),
    }
  })
}

/** A push compresses with gzip what is not compressed: for anything else there is a manifest of it first. */
function pushedPlan(wanted: Export): PublicationPlan | undefined {
  const isOther = wanted.attributes['push'] === 'true' && isUnusual(layerCompression(wanted.attributes))
  return isOther ? compressionPlan(wanted) : undefined
}

interface Creation {
  readonly wanted: Export
  readonly tags: readonly string[]
  readonly vertex: Vertex
}

/** One a platform. */
async function createImages(
  context: ExportContext,
  { outcomes }: Built,
  { wanted, tags, vertex }: Creation,
): Promise<Digest[]> {
  const layers = vertex.status('exporting layers')
  const ids: Digest[] = []
  for (const { outcome } of outcomes) ids.push(await outcome.createImage(tags, imageOptions(context, outcome, wanted)))
  layers.done()
  if (context.isCache) vertex.status('preparing layers for inline cache').done()
  if (outcomes.length === 1) vertex.status(`writing image ${ids[0]}`).done()
  return ids
}

interface Publishing {
  readonly plan: PublicationPlan
  readonly ids: readonly Digest[]
  readonly names: readonly string[]
  readonly vertex: Vertex
}

/** Nothing would keep an index without a name: then there are its images. */
async function publish(
  { images }: ExportContext,
  built: Built,
  { plan, ids, names, vertex }: Publishing,
): Promise<Descriptor | undefined> {
  if (names.length === 0) return undefined
  const onStep = (text: string) => vertex.status(text).done()
  return await images.publish({ ...publishRequest(built, plan, { ids, names }), references: names, onStep })
}

function describe(ids: readonly Digest[], target: Descriptor | undefined, pushed: string | undefined): ExportResponse {
  const [id = ''] = ids
  return {
    'containerimage.digest': pushed ?? target?.digest ?? id,
    ...(ids.length === 1 && { 'containerimage.config.digest': id }),
    ...(target && { 'containerimage.descriptor': encodeDescriptor(target) }),
  }
}

/** As clients take it: JSON in base64. */
export const encodeDescriptor = (descriptor: Descriptor): string =>
  Buffer.from(JSON.stringify(descriptor)).toString('base64')

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
