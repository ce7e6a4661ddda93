import { decompress } from '@berth/archive'
import { invalid } from '@berth/base'
import { decode, decodeImageConfig, type Descriptor, type Digest, Digester, parseReference, withTag } from '@berth/oci'
import type { ContentStore } from '@berth/storage'
import { describeLayer, maxLayers } from '../add-layer.ts'
import type { ImagesContext } from '../context.ts'
import type { ArchiveFiles } from './archive-files.ts'
import type { Candidate } from './candidate.ts'

const maxDocumentBytes = 1024 * 1024

/**
 * The images of an archive from before Docker 1.10: `repositories` maps names and tags to layer directories, each with
 * `json` (that names its parent) and `layer.tar`. The config is derived from the top `json`.
 */
export async function readLegacyArchive(context: ImagesContext, files: ArchiveFiles): Promise<Candidate[]> {
  const place = decode.parseJson(await files.document('repositories', maxDocumentBytes), 'repositories')
  const repositories = decode.record(place, (tags) => decode.record(tags, decode.string))
  const images = new Map<string, Candidate>()
  const diffIds = new DiffIds(context)
  for (const [name, tags] of Object.entries(repositories)) {
    for (const [tag, id] of Object.entries(tags)) {
      const known = images.get(id) ?? (await readImage(context, files, { id, diffIds }))
      const reference = withTag(parseReference(name), tag)
      images.set(id, { ...known, references: [...known.references, reference] })
    }
  }
  return [...images.values()]
}

/** Diff ids of blobs, each computed once: images share their layers. */
class DiffIds {
  readonly #content: ContentStore
  readonly #known = new Map<Digest, Digest>()

  constructor({ content }: ImagesContext) {
    this.#content = content
  }

  async of(blob: Digest): Promise<Digest> {
    const known = this.#known.get(blob)
    if (known) return known
    const digester = new Digester()
    for await (const chunk of decompress(this.#content.open(blob))) digester.update(chunk)
    const diffId = digester.digest()
    this.#known.set(blob, diffId)
    return diffId
  }
}

async function readImage(
  { content }: ImagesContext,
  files: ArchiveFiles,
  { id, diffIds }: { readonly id: string; readonly diffIds: DiffIds },
): Promise<Candidate> {
  const lineage = await readLineage(files, id)
  const layers: Descriptor[] = []
  const ids: Digest[] = []
  for (const { id: layerId } of lineage) {
    const { digest, sizeBytes } = await files.blob(`${layerId}/layer.tar`)
    layers.push(await describeLayer(content, digest, sizeBytes))
    ids.push(await diffIds.of(digest))
  }
  const steps = lineage.map(({ json }) => json)
  const configBytes = deriveConfig(steps, ids)
  return { configBytes, config: decodeImageConfig(configBytes), layers, references: [] }
}

interface LegacyLayer {
  readonly id: string
  readonly json: decode.Place
}

/** From the base up. */
async function readLineage(files: ArchiveFiles, id: string): Promise<LegacyLayer[]> {
  const lineage: LegacyLayer[] = []
  for (let next: string | undefined = id; next !== undefined;) {
    if (!/^[a-f0-9]{64}$/.test(next)) throw invalid(`repositories: ${JSON.stringify(next.slice(0, 100))} is no id`)
    if (lineage.length >= maxLayers) throw invalid('max depth exceeded')
    const json: decode.Place = decode.parseJson(await files.document(`${next}/json`, maxDocumentBytes), `${next}/json`)
    lineage.unshift({ id: next, json })
    next = decode.optional(json, 'parent', decode.string).parent || undefined
  }
  return lineage
}

function deriveConfig(steps: readonly decode.Place[], diffIds: readonly Digest[]): Buffer {
  const top = steps.at(-1)
  if (!top) throw new Error('deriveConfig() of no layer')
  const kept = [
    'architecture',
    'os',
    'variant',
    'created',
    'author',
    'comment',
    'config',
    'docker_version',
    'container',
  ]
  const fields = kept
    .map((name) => [name, decode.member(top, name).value] as const)
    .filter(([, value]) => value !== undefined)
  const rootfs = { type: 'layers', diff_ids: diffIds }
  return Buffer.from(JSON.stringify({ ...Object.fromEntries(fields), rootfs, history: steps.map(historyOf) }))
}

function historyOf(json: decode.Place): object {
  const { author, comment, created } = {
    ...decode.optional(json, 'author', decode.string),
    ...decode.optional(json, 'comment', decode.string),
    ...decode.optional(json, 'created', decode.string),
  }
  const builder = decode.optional(
    json,
    'container_config',
    (at) => decode.optional(at, 'Cmd', (cmd) => decode.array(cmd, decode.string)).Cmd ?? [],
  )
  return { created, created_by: builder.container_config?.join(' '), author, comment }
}
