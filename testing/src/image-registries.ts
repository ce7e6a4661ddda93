import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BerthRegistry, startBerthRegistry } from './berth-registry.ts'
import {
  addImage,
  type AddOptions,
  digestOf,
  type DockerRegistry,
  type DockerRegistryOptions,
  startDockerRegistry,
  type StoredDocument,
  type StoredImage,
} from './docker-registry.ts'
import type { FixtureImage } from './fixtures/image.ts'
import type { Sandbox } from './sandbox.ts'

/** A registry with images for the engine in a sandbox, whosever program it is. */
export type ImageRegistry = DockerRegistry
export type ImageRegistryOptions = Pick<DockerRegistryOptions, 'port' | 'users'>

/** What a pull or a push is tried against, by name. */
export const imageRegistries: Readonly<
  Record<string, (sandbox: Pick<Sandbox, 'enter'>, options?: ImageRegistryOptions) => Promise<ImageRegistry>>
> = {
  'docker-registry': startDockerRegistry,
  'berth registry serve': async (sandbox, { port = 5000, users } = {}) => {
    const served = await startBerthRegistry(sandbox, { port, ...(users && { users }) })
    return new ServedRegistry(served, sandbox, users)
  },
}

/** `berth registry serve`, whose images come by its own API; curl speaks it, for the test is in another network. */
class ServedRegistry implements ImageRegistry {
  readonly #served: BerthRegistry
  readonly #sandbox: Pick<Sandbox, 'enter'>
  readonly #credentials: readonly string[]

  constructor(served: BerthRegistry, sandbox: Pick<Sandbox, 'enter'>, users: ImageRegistryOptions['users'] = {}) {
    this.#served = served
    this.#sandbox = sandbox
    const [user] = Object.entries(users)
    this.#credentials = user ? ['-u', user.join(':')] : []
  }

  get host(): string {
    return this.#served.host
  }

  add(path: string, image: FixtureImage, options?: AddOptions): Promise<StoredImage> {
    return addImage(this, image, { path, ...options, addBlob: (bytes, type) => this.#putBlob(path, bytes, type) })
  }

  addManifest(path: string, tag: string, mediaType: string, document: object): StoredDocument {
    const bytes = Buffer.from(JSON.stringify(document))
    this.#curl(`/v2/${path}/manifests/${tag}`, ['-X', 'PUT', '-H', `Content-Type: ${mediaType}`], bytes)
    return { mediaType, digest: digestOf(bytes), size: bytes.length }
  }

  requests(): string[] {
    return this.#answered().map(({ request }) => request)
  }

  sentBytes(since: number): number {
    const blobs = this.#answered()
      .slice(since)
      .filter(({ request }) => /^GET .*\/blobs\//.test(request))
    return blobs.reduce((sum, { sentBytes }) => sum + sentBytes, 0)
  }

  manifest(path: string, tag: string): { digest: string; bytes: Buffer } {
    const types = [
      '-H',
      'Accept: application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.*, */*',
    ]
    const bytes = this.#curl(`/v2/${path}/manifests/${tag}`, types)
    return { digest: digestOf(bytes), bytes }
  }

  blob(digest: string): Buffer {
    return readFileSync(join(this.#served.folder, 'data/content/blobs', digest.replace(':', '/')))
  }

  async stop(): Promise<void> {
    await this.#served.stop()
  }

  start(): Promise<void> {
    return this.#served.start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#served[Symbol.asyncDispose]()
  }

  /** What the test itself has sent is no request of the engine's. */
  #answered(): { readonly request: string; readonly sentBytes: number }[] {
    const lines = this.#served.log().split('\n')
    const asked = lines.filter((line) => line.includes('msg=request') && !line.includes('agent=curl'))
    return asked.flatMap((line) => {
      const [, method, url = ''] = /method=(\S+) url=("(?:[^"\\]|\\.)*"|\S+)/.exec(line) ?? []
      if (method === undefined) return []
      const request = `${method} ${url.startsWith('"') ? (JSON.parse(url) as string) : url}`
      return [{ request, sentBytes: Number(/ sent=(\d+)/.exec(line)?.[1] ?? 0) }]
    })
  }

  #putBlob(path: string, bytes: Buffer, mediaType: string): StoredDocument {
    const digest = digestOf(bytes)
    const head = this.#curl(`/v2/${path}/blobs/uploads/`, ['-X', 'POST', '-D', '-']).toString()
    const location = new URL(/^location: (.*)\r$/im.exec(head)?.[1] ?? '', `http://${this.host}`)
    location.searchParams.set('digest', digest)
    this.#curl(location.pathname + location.search, ['-X', 'PUT'], bytes)
    return { mediaType, digest, size: bytes.length }
  }

  #curl(target: string, further: readonly string[], body?: Buffer): Buffer {
    const data = body ? ['--data-binary', '@-'] : []
    const own = ['-sS', '--fail-with-body', '-A', 'curl', ...this.#credentials, ...further, ...data]
    const { file, args, env } = this.#sandbox.enter(['curl', ...own, `http://${this.host}${target}`])
    return execFileSync(file, args, { env, input: body ?? '', maxBuffer: 1 << 28 })
  }
}
