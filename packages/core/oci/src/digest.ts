import type { Brand } from '@berth/base'
import { invalid } from '@berth/base'
import { createHash, type Hash } from 'node:crypto'

/** `sha256:` and 64 lower-case hex digits, or `sha512:` and 128 (OCI image spec, descriptor.md#digests). */
export type Digest = Brand<string, 'Digest'>

const patterns: Readonly<Record<string, RegExp>> = { sha256: /^[a-f0-9]{64}$/, sha512: /^[a-f0-9]{128}$/ }

/** The digest in `text`; throws `invalid` when it is none. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw invalid(`invalid digest: ${JSON.stringify(text.slice(0, 200))}`)
  return text
}

export function isDigest(text: string): text is Digest {
  const colon = text.indexOf(':')
  const algorithm = text.slice(0, colon)
  return Object.hasOwn(patterns, algorithm) && (patterns[algorithm]?.test(text.slice(colon + 1)) ?? false)
}

/** As `parseDigest`, for the digest of a reference: Docker's words for each way to be wrong. */
export function parseReferenceDigest(text: string): Digest {
  if (isDigest(text)) return text
  const colon = text.indexOf(':')
  const algorithm = text.slice(0, colon)
  if (!/^[a-z0-9]+(?:[.+_-][a-z0-9]+)*$/.test(algorithm)) throw invalid('invalid checksum digest format')
  if (!Object.hasOwn(patterns, algorithm)) throw invalid('unsupported digest algorithm')
  const length = algorithm === 'sha256' ? 64 : 128
  const fits = text.length - colon - 1 === length
  throw invalid(fits ? 'invalid checksum digest format' : 'invalid checksum digest length')
}

export const algorithmOf = (digest: Digest): string => digest.slice(0, digest.indexOf(':'))
export const hexOf = (digest: Digest): string => digest.slice(digest.indexOf(':') + 1)

export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
}

/** A digest computed while bytes pass by. */
export class Digester {
  readonly #algorithm: string
  readonly #hash: Hash
  sizeBytes = 0

  constructor(algorithm = 'sha256') {
    this.#algorithm = algorithm
    this.#hash = createHash(algorithm)
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes)
    this.sizeBytes += bytes.length
  }

  digest(): Digest {
    return `${this.#algorithm}:${this.#hash.digest('hex')}` as Digest
  }
}

/** The chain id of layers given by diff id, base first (OCI image spec, config.md#layer-chainid). */
export function chainId(diffIds: readonly Digest[]): Digest {
  const [first, ...rest] = diffIds
  if (first === undefined) throw new Error('chainId() of no layer')
  return rest.reduce((chain, diffId) => sha256(`${chain} ${diffId}`), first)
}

/** Chain ids of every prefix of `diffIds`, base first. */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = []
  for (const diffId of diffIds) {
    const parent = chain.at(-1)
    chain.push(parent === undefined ? diffId : sha256(`${parent} ${diffId}`))
  }
  return chain
}
