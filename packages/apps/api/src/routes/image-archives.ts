import { invalid } from '@berth/base'
import type { Containers } from '@berth/containers'
import { boolParameter } from '@berth/engine-api'
import type { Images } from '@berth/images'
import type { Readable } from 'node:stream'
import type { Exchange } from '../exchange.ts'
import { imageReference } from '../reference.ts'
import { sendChunks, sendJson, sendProgress } from '../respond.ts'
import type { Route } from '../router.ts'
import { pull } from './image-transfer.ts'
import { imageVerbs, type NamedHandler, platformOf } from './images.ts'

interface Deps {
  readonly images: Images
  readonly containers: Pick<Containers, 'list'>
}

/** Archives of images in and out, and all of `/images/{name}/<verb>`. */
export function imageArchiveRoutes(deps: Deps): Route[] {
  const { images } = deps
  const verbs = imageVerbs(deps)
  const get: Record<string, NamedHandler> = { ...verbs.GET, get: (exchange, name) => save(exchange, [name], images) }
  return [
    { method: 'POST', path: '/images/create', handler: (exchange) => createImage(exchange, images) },
    { method: 'POST', path: '/images/load', handler: (exchange) => load(exchange, images) },
    {
      method: 'GET',
      path: '/images/get',
      handler: (exchange) => save(exchange, exchange.query.getAll('names'), images),
    },
    { method: 'GET', path: '/images/*', handler: byVerb(get) },
    { method: 'POST', path: '/images/*', handler: byVerb(verbs.POST) },
  ]
}

function byVerb(verbs: Record<string, NamedHandler>): Route['handler'] {
  return (exchange) => {
    const rest = exchange.param('*')
    const slash = rest.lastIndexOf('/')
    const handler = slash > 0 && Object.hasOwn(verbs, rest.slice(slash + 1)) ? verbs[rest.slice(slash + 1)] : undefined
    if (!handler) return sendJson(exchange, { message: 'page not found' }, 404)
    return handler(exchange, rest.slice(0, slash))
  }
}

/** A pull or an import; which one, the parameters say. */
async function createImage(exchange: Exchange, images: Pick<Images, 'importRootfs' | 'pull'>): Promise<void> {
  const { query } = exchange
  if (query.get('fromImage')) return await pull(exchange, images)
  const source = query.get('fromSrc')
  if (!source) throw invalid('either fromImage or fromSrc is required')
  const reference = imageReference(query.get('repo'), query.get('tag'))
  const message = query.get('message') || `Imported from ${source}`
  const platform = query.get('platform')
  const request = {
    source: source === '-' ? (exchange.request as Readable) : source,
    signal: exchange.signal,
    changes: query.getAll('changes'),
    message,
    ...(reference ? { reference } : {}),
    ...(platform ? { platform } : {}),
  }
  await sendProgress(exchange, async (send) => send({ status: await images.importRootfs(request, send) }), {
    errorsInStream: false,
  })
}

async function load(exchange: Exchange, images: Pick<Images, 'load'>): Promise<void> {
  const platform = platformOf(exchange)
  const options = { quiet: boolParameter(exchange.query, 'quiet', true), ...(platform ? { platform } : {}) }
  await sendProgress(exchange, (send) => images.load(exchange.request, options, send), { errorsInStream: true })
}

async function save(exchange: Exchange, names: readonly string[], images: Pick<Images, 'save'>): Promise<void> {
  if (names.length === 0) throw invalid('no image was named')
  const platform = platformOf(exchange)
  const archive = await images.save(names, platform ? { platform } : {})
  await sendChunks(exchange, archive, { contentType: 'application/x-tar' })
}
