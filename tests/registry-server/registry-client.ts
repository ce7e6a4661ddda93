import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { EngineApi } from '@berth/testing'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export const manifestType = 'application/vnd.oci.image.manifest.v1+json'
export const indexType = 'application/vnd.oci.image.index.v1+json'

export const digestOf = (bytes: Buffer | string, algorithm = 'sha256'): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`

export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

export const describe = (mediaType: string, bytes: Buffer | string): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: Buffer.byteLength(bytes),
})

/** Speaks the API of registries, a request at a time, as its specification has it. */
export class RegistryClient {
  readonly host: string
  readonly #http: EngineApi
  readonly #headers: Readonly<Record<string, string>>

  constructor(host: string, headers: Readonly<Record<string, string>> = {}) {
    this.host = host
    this.#http = new EngineApi(`tcp://${host}`)
    this.#headers = headers
  }

  async send(
    method: string,
    path: string,
    body?: Buffer | string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    const length: Record<string, string> = bytes === undefined ? {} : { 'Content-Length': String(bytes.length) }
    return this.#http.request(method, path, bytes, { headers: { ...length, ...this.#headers, ...headers } })
  }

  get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    this.send('GET', path, undefined, headers)
  head = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    this.send('HEAD', path, undefined, headers)

  /** Path and query of where an upload goes on. */
  async begin(name: string): Promise<string> {
    const answer = await this.send('POST', `/v2/${name}/blobs/uploads/`, '')
    assert.equal(answer.status, 202, answer.text)
    return pathOf(answer)
  }

  /** POST and PUT; returns the descriptor. */
  async pushBlob(name: string, bytes: Buffer | string, mediaType = 'application/octet-stream'): Promise<Descriptor> {
    const descriptor = describe(mediaType, bytes)
    const answer = await this.send('PUT', withDigest(await this.begin(name), descriptor.digest), bytes)
    assert.equal(answer.status, 201, answer.text)
    return descriptor
  }

  putManifest(name: string, reference: string, document: object | string, mediaType?: string): Promise<Answer> {
    const text = typeof document === 'string' ? document : JSON.stringify(document)
    const declared = typeof document === 'string' ? undefined : (document as { mediaType?: string }).mediaType
    const headers = { 'Content-Type': mediaType ?? declared ?? manifestType }
    return this.send('PUT', `/v2/${name}/manifests/${reference}`, text, headers)
  }

  /** An image of one small layer under `tag`, unlike any other. */
  async pushImage(name: string, tag: string, more: object = {}): Promise<PushedImage> {
    const config = await this.pushBlob(name, JSON.stringify({ tag, name }), 'application/vnd.oci.image.config.v1+json')
    const layer = await this.pushBlob(name, `layer of ${name}:${tag}`, 'application/vnd.oci.image.layer.v1.tar+gzip')
    const document = { schemaVersion: 2, mediaType: manifestType, config, layers: [layer], ...more }
    const answer = await this.putManifest(name, tag, document)
    assert.equal(answer.status, 201, answer.text)
    return { config, layer, manifest: describe(manifestType, JSON.stringify(document)), document, answer }
  }
}

export interface PushedImage {
  readonly config: Descriptor
  readonly layer: Descriptor
  readonly manifest: Descriptor
  readonly document: object
  readonly answer: Answer
}

/** Where an answer points to, whether or not it names the host. */
export function pathOf({ headers }: Answer): string {
  const url = new URL(headers.location ?? '', 'http://registry')
  return url.pathname + url.search
}

export const withDigest = (path: string, digest: string): string =>
  `${path}${path.includes('?') ? '&' : '?'}digest=${digest}`

export const codesOf = ({ text }: Answer): string[] =>
  (JSON.parse(text) as { errors: { code: string }[] }).errors.map(({ code }) => code)

/** Status and error codes: what a refusal is. */
export const refusal = (answer: Answer): unknown[] => [answer.status, ...codesOf(answer)]
