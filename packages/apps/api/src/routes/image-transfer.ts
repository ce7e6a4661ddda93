import { invalid } from '@berth/base'
import { type AuthConfig, decodeAuthConfig, has, platformParameter } from '@berth/engine-api'
import type { Images } from '@berth/images'
import { formatReference, isDigest, parseReference, type Reference, withTag } from '@berth/oci'
import type { Exchange } from '../exchange.ts'
import { sendProgress } from '../respond.ts'

/** `POST /images/create?fromImage=`: the client that goes away ends its pull. */
export async function pull(exchange: Exchange, images: Pick<Images, 'pull'>): Promise<void> {
  const { query, signal } = exchange
  const platform = query.get('platform')
  const reference = formatReference(wantedReference(query.get('fromImage') ?? '', query.get('tag') ?? ''))
  const request = { reference, auth: registryAuth(exchange), signal, ...(platform ? { platform } : {}) }
  await sendProgress(exchange, (send) => images.pull(request, send), { errorsInStream: false })
}

/** `POST /images/{name}/push`: a failure is told in the stream, which begins at once. */
export async function push(exchange: Exchange, name: string, images: Pick<Images, 'push'>): Promise<void> {
  const { query, signal, version } = exchange
  const named = parseReference(name)
  const tag = query.get('tag') ?? ''
  const reference = formatReference(tag === '' || named.digest !== undefined ? named : withTag(named, tag))
  const platform = has(version, 'pushPlatform') ? platformParameter(query) : undefined
  const request = { reference, auth: registryAuth(exchange), signal, ...(platform ? { platform } : {}) }
  await sendProgress(exchange, (send) => images.push(request, send), { errorsInStream: false })
}

/** What a tag of its own says counts; it may be a digest. */
function wantedReference(image: string, tag: string): Reference {
  // "pull -a" of old clients sends a name that ends in a colon.
  const named = parseReference(image.replace(/:$/, ''))
  if (tag === '') return named
  const { domain, path } = named
  if (isDigest(tag)) return { domain, path, digest: tag }
  if (named.digest !== undefined) throw invalid('a reference with a digest takes no tag of its own')
  return withTag({ domain, path }, tag)
}

/** The credentials that came with the request. */
export function registryAuth({ request }: Exchange): AuthConfig {
  const header = request.headers['x-registry-auth']
  return decodeAuthConfig(typeof header === 'string' ? header : undefined)
}
