import { invalid } from '@berth/base'
import {
  boolFilter,
  checkFilters,
  decodeFilters,
  type DistributionResponse,
  type Filters,
  intParameter,
  type SearchResultResponse,
  toAuthConfig,
} from '@berth/engine-api'
import type { Images } from '@berth/images'
import { readJson } from '../body.ts'
import type { Exchange } from '../exchange.ts'
import { sendJson } from '../respond.ts'
import type { Route } from '../router.ts'
import { registryAuth } from './image-transfer.ts'

interface Deps {
  readonly images: Pick<Images, 'checkCredentials' | 'distribution' | 'search'>
}

/** What is only asked of registries. */
export function registryRoutes({ images }: Deps): Route[] {
  return [
    { method: 'POST', path: '/auth', handler: (exchange) => login(exchange, images) },
    { method: 'GET', path: '/distribution/*', handler: (exchange) => distribution(exchange, images) },
    { method: 'GET', path: '/images/search', handler: (exchange) => search(exchange, images) },
  ]
}

async function login(exchange: Exchange, images: Deps['images']): Promise<void> {
  const auth = toAuthConfig(await readJson(exchange, { required: true }))
  const token = await images.checkCredentials(auth, exchange.signal)
  sendJson(exchange, { IdentityToken: token, Status: 'Login Succeeded' })
}

async function distribution(exchange: Exchange, images: Deps['images']): Promise<void> {
  const [, name] = /^(.+)\/json$/.exec(exchange.param('*')) ?? []
  if (name === undefined) return sendJson(exchange, { message: 'page not found' }, 404)
  const question = { auth: registryAuth(exchange), signal: exchange.signal }
  const { descriptor, platforms } = await images.distribution(name, question)
  const { mediaType, digest, size } = descriptor
  const answer: DistributionResponse = { Descriptor: { mediaType, digest, size }, Platforms: [...platforms] }
  sendJson(exchange, answer)
}

const searchFilters = new Set(['is-automated', 'is-official', 'stars'])
const defaultLimit = 25

async function search(exchange: Exchange, images: Deps['images']): Promise<void> {
  const { query } = exchange
  const filters = decodeFilters(query.get('filters'))
  checkFilters(filters, searchFilters)
  const limit = limitOf(query)
  const accepts = searchFilter(filters)
  const results = await images.search({ term: query.get('term') ?? '', limit, auth: registryAuth(exchange) })
  sendJson(exchange, results.filter(accepts))
}

function limitOf(query: URLSearchParams): number {
  const text = query.get('limit') ?? ''
  if (text !== '' && !/^[+-]?\d+$/.test(text)) {
    throw invalid(`invalid limit specified: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  const limit = intParameter(query, 'limit') || defaultLimit
  if (limit < 1 || limit > 100) throw invalid(`limit ${limit} is outside the range of [1, 100]`)
  return limit
}

function searchFilter(filters: Filters): (result: SearchResultResponse) => boolean {
  const wants = (name: string) => (filters[name] ? boolFilter(filters, name, false) : undefined)
  const [automated, official] = [wants('is-automated'), wants('is-official')]
  const stars = Math.max(0, ...(filters['stars'] ?? []).map(toStars))
  return (result) =>
    (automated === undefined || result.is_automated === automated) &&
    (official === undefined || result.is_official === official) &&
    result.star_count >= stars
}

function toStars(text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text)
  throw invalid(`invalid filter 'stars=${text}': strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
}
