import { invalid } from '@berth/base'
import type { Containers } from '@berth/containers'
import {
  boolParameter,
  checkFilters,
  decodeFilters,
  type Filters,
  has,
  type ImageSummary,
  platformParameter,
} from '@berth/engine-api'
import type { Image, ImagePlatform, Images } from '@berth/images'
import type { Exchange } from '../exchange.ts'
import { presentImage, presentImageSummary, presentPlatform } from '../presenters/image.ts'
import { sharedSizes } from '../presenters/shared-size.ts'
import { imageReference } from '../reference.ts'
import { sendEmpty, sendJson } from '../respond.ts'
import type { Route } from '../router.ts'
import { push } from './image-transfer.ts'

interface Deps {
  readonly images: Pick<
    Images,
    'resolve' | 'list' | 'platforms' | 'history' | 'tag' | 'remove' | 'prune' | 'push' | 'graphDriver'
  >
  readonly containers: Pick<Containers, 'list'>
}

/** Images by name: looking, naming, removing. Archives of them are in image-archives.ts. */
export function imageRoutes(deps: Deps): Route[] {
  const { images } = deps
  return [
    { method: 'GET', path: '/images/json', handler: (exchange) => list(exchange, deps) },
    { method: 'POST', path: '/images/prune', handler: (exchange) => prune(exchange, images) },
    { method: 'DELETE', path: '/images/*', handler: (exchange) => remove(exchange, images) },
  ]
}

/** Handlers of `/images/{name}/<verb>`: a name has slashes, so the verb is what follows the last one. */
export function imageVerbs({ images }: Deps): Record<'GET' | 'POST', Record<string, NamedHandler>> {
  return {
    GET: {
      json: async (exchange, name) => {
        const image = await images.resolve(name, platformOf(exchange))
        sendJson(exchange, presentImage(image, images.graphDriver(image), exchange.version))
      },
      history: async (exchange, name) => {
        const { id } = await images.resolve(name, platformOf(exchange))
        sendJson(exchange, await images.history(id))
      },
    },
    POST: {
      tag: (exchange, name) => tag(exchange, name, images),
      push: (exchange, name) => push(exchange, name, images),
    },
  }
}

export type NamedHandler = (exchange: Exchange, name: string) => Promise<void> | void

export function platformOf({ query, version }: Exchange): string | undefined {
  return has(version, 'imagePlatformParameter') ? platformParameter(query) : undefined
}

const listFilters = new Set(['dangling', 'label', 'before', 'since', 'reference', 'until'])
const pruneFilters = new Set(['dangling', 'label', 'label!', 'until'])

async function list(exchange: Exchange, deps: Deps): Promise<void> {
  const { query, version } = exchange
  const filters = readListFilters(query)
  const found = await deps.images.list({ all: boolParameter(query, 'all'), filters })
  const wantsShared = has(version, 'sharedSizeParameter') && boolParameter(query, 'shared-size')
  const withContainers = has(version, 'imageListContainers')
  const summaries = await summariseImages(found, deps, { withShared: wantsShared, withContainers, version })
  const wantsManifests = has(version, 'imageManifests') && boolParameter(query, 'manifests')
  sendJson(exchange, wantsManifests ? await withManifests(summaries, found, deps) : summaries)
}

/** Docker's overlay2 keeps one platform of an image, and lists none; its other store lists them as this does. */
async function withManifests(
  summaries: readonly ImageSummary[],
  found: readonly Image[],
  { images, containers }: Pick<Deps, 'images' | 'containers'>,
): Promise<ImageSummary[]> {
  const users = Map.groupBy(await containers.list({ all: true, size: false, filters: {} }), ({ imageId }) => imageId)
  return await Promise.all(
    summaries.map(async (summary) => {
      const image = found.find(({ id }) => id === summary.Id)
      const platforms = image ? await images.platforms(image) : []
      if (platforms.length === 0) return summary
      const usersOf = (one: ImagePlatform) => (one.image && users.get(one.image.id)) ?? []
      const present = (one: ImagePlatform) =>
        presentPlatform(
          one,
          usersOf(one).map(({ id }) => id),
        )
      return { ...summary, Manifests: platforms.map(present) }
    }),
  )
}

/** Clients of old gave a reference in a parameter of its own. */
function readListFilters(query: URLSearchParams): Filters {
  const filters = decodeFilters(query.get('filters'))
  checkFilters(filters, listFilters)
  const reference = query.get('filter')
  return reference ? { ...filters, reference: [reference] } : filters
}

/** The entries of a list, newest first. */
export async function summariseImages(
  found: readonly Image[],
  { images, containers }: Pick<Deps, 'containers'> & { images: Pick<Images, 'history'> },
  options: { readonly withShared: boolean; readonly withContainers: boolean; readonly version: number },
): Promise<ImageSummary[]> {
  const users = new Map<string, number>()
  const all = options.withContainers ? await containers.list({ all: true, size: false, filters: {} }) : []
  for (const { imageId } of all) users.set(imageId, (users.get(imageId) ?? 0) + 1)
  const histories = options.withShared ? await Promise.all(found.map(({ id }) => images.history(id))) : []
  const shared = options.withShared ? sharedSizes(found, histories) : []
  const summaries = found.map((image, index) => {
    const counts = {
      containers: options.withContainers ? (users.get(image.id) ?? 0) : -1,
      sharedBytes: shared[index] ?? -1,
    }
    return presentImageSummary(image, counts, options.version)
  })
  return summaries.toSorted((a, b) => b.Created - a.Created)
}

async function tag(exchange: Exchange, name: string, images: Pick<Images, 'tag'>): Promise<void> {
  const reference = imageReference(exchange.query.get('repo'), exchange.query.get('tag'))
  if (reference === undefined) throw invalid('repository name must have at least one component')
  await images.tag(name, reference)
  sendEmpty(exchange, 201)
}

async function remove(exchange: Exchange, images: Pick<Images, 'remove'>): Promise<void> {
  const { query, version } = exchange
  const name = exchange.param('*')
  if (name.trim() === '') throw invalid('image name cannot be blank')
  const platform = has(version, 'imageRemovePlatforms') ? onePlatform(query) : undefined
  const options = { force: boolParameter(query, 'force'), prune: !boolParameter(query, 'noprune') }
  sendJson(exchange, await images.remove(name, { ...options, ...(platform && { platform }) }))
}

function onePlatform(query: URLSearchParams): string | undefined {
  if (query.getAll('platforms').length > 1) throw invalid('multiple platforms are not supported')
  return platformParameter(query, 'platforms')
}

async function prune(exchange: Exchange, images: Pick<Images, 'prune'>): Promise<void> {
  const filters = decodeFilters(exchange.query.get('filters'))
  checkFilters(filters, pruneFilters)
  const { deleted, reclaimedBytes } = await images.prune(filters)
  sendJson(exchange, { ImagesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimedBytes })
}
