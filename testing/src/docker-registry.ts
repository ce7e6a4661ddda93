import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { Readable } from 'node:stream'
import { command } from './command.ts'
import { type FixtureImage, imageConfigOf } from './fixtures/image.ts'
import type { Sandbox } from './sandbox.ts'

export interface DockerRegistryOptions {
  readonly port?: number
  /** User to password: nobody else is let in. */
  readonly users?: Readonly<Record<string, string>>
  /** Further lines of `http:` in its configuration, as JSON members. */
  readonly http?: Readonly<Record<string, unknown>>
}

/** Debian's docker-registry on 127.0.0.1 of a sandbox. */
export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:5000`. */
  readonly host: string
  /** Puts an image of gzip layers (default level 1) straight into its storage; returns what its manifest is known by. */
  add(path: string, image: FixtureImage, options?: AddOptions): Promise<StoredImage>
  /** Puts any document under a tag. */
  addManifest(path: string, tag: string, mediaType: string, document: object): StoredDocument
  /** `METHOD path` of every request so far. */
  requests(): string[]
  /** Bytes of blobs that it has sent since the request of this index. */
  sentBytes(since: number): number
  /** The manifest that a tag stands for. */
  manifest(path: string, tag: string): { readonly digest: string; readonly bytes: Buffer }
  blob(digest: string): Buffer
  stop(): Promise<void>
  start(): Promise<void>
}

export interface StoredDocument {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

export interface StoredImage extends StoredDocument {
  readonly configDigest: string
  readonly layers: readonly StoredDocument[]
}

export async function startDockerRegistry(
  sandbox: Pick<Sandbox, 'enter'>,
  options: DockerRegistryOptions = {},
): Promise<DockerRegistry> {
  const registry = new InstalledRegistry(sandbox, options)
  await registry.start()
  return registry
}

export const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export interface AddOptions {
  readonly gzipLevel?: number
}

interface Adding extends AddOptions {
  readonly path: string
  readonly addBlob: (bytes: Buffer, mediaType: string) => StoredDocument
}

/** Gives an image of gzip layers to a registry. */
export async function addImage(
  registry: Pick<DockerRegistry, 'addManifest'>,
  image: FixtureImage,
  { path, gzipLevel: level = 1, addBlob }: Adding,
): Promise<StoredImage> {
  const layers: StoredDocument[] = []
  for (const layer of image.layers) {
    const bytes = gzipSync(await buffer(Readable.from(layer.open())), { level })
    layers.push(addBlob(bytes, 'application/vnd.docker.image.rootfs.diff.tar.gzip'))
  }
  const config = addBlob(imageConfigOf(image), 'application/vnd.docker.container.image.v1+json')
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json'
  const document = { schemaVersion: 2, mediaType, config, layers }
  const tag = image.reference.split(':')[1] ?? 'latest'
  return { ...registry.addManifest(path, tag, mediaType, document), configDigest: config.digest, layers }
}

class InstalledRegistry implements DockerRegistry {
  readonly host: string
  readonly #sandbox: Pick<Sandbox, 'enter'>
  readonly #options: DockerRegistryOptions
  readonly #folder = mkdtempSync(join(tmpdir(), 'docker-registry-'))
  #process: ChildProcess | undefined
  #log = ''

  constructor(sandbox: Pick<Sandbox, 'enter'>, options: DockerRegistryOptions) {
    this.#sandbox = sandbox
    this.#options = options
    this.host = `127.0.0.1:${options.port ?? 5000}`
  }

  async start(): Promise<void> {
    const config = join(this.#folder, 'config.yml')
    writeFileSync(config, JSON.stringify(await this.#config()))
    const { file, args, env } = this.#sandbox.enter(['docker-registry', 'serve', config])
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const ready = Promise.withResolvers<void>()
    const hear = (chunk: Buffer) => {
      this.#log += chunk.toString()
      if (/listening on/.test(this.#log)) ready.resolve()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('exit', () => ready.reject(new Error(`docker-registry ended:\n${this.#log.slice(-2000)}`)))
    this.#process = child
    await ready.promise
  }

  async stop(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
    this.#log = this.#log.replaceAll('listening on', 'listened on')
  }

  add(path: string, image: FixtureImage, options?: AddOptions): Promise<StoredImage> {
    return addImage(this, image, { path, ...options, addBlob: (bytes, type) => this.#addBlob(path, bytes, type) })
  }

  addManifest(path: string, tag: string, mediaType: string, document: object): StoredDocument {
    const stored = this.#addBlob(path, Buffer.from(JSON.stringify(document)), mediaType)
    const hex = stored.digest.slice('sha256:'.length)
    const manifests = join(this.#repository(path), '_manifests')
    link(join(manifests, 'revisions/sha256', hex), stored.digest)
    link(join(manifests, 'tags', tag, 'current'), stored.digest)
    link(join(manifests, 'tags', tag, 'index/sha256', hex), stored.digest)
    return stored
  }

  requests(): string[] {
    return [...this.#log.matchAll(/"(GET|HEAD|POST|PUT|PATCH|DELETE) ([^ ]+) HTTP/g)].map(
      ([, method, path]) => `${method} ${path}`,
    )
  }

  sentBytes(since: number): number {
    const sent = [...this.#log.matchAll(/"(GET|HEAD|POST|PUT|PATCH|DELETE) ([^ ]+) HTTP[^"]*" \d+ (\d+)/g)].slice(since)
    return sent
      .filter(([, method, path = '']) => method === 'GET' && path.includes('/blobs/'))
      .reduce((sum, [, , , bytes]) => sum + Number(bytes), 0)
  }

  manifest(path: string, tag: string): { digest: string; bytes: Buffer } {
    const digest = readFileSync(join(this.#repository(path), '_manifests/tags', tag, 'current/link'), 'utf8')
    return { digest, bytes: this.blob(digest) }
  }

  blob(digest: string): Buffer {
    return readFileSync(join(this.#blobFolder(digest), 'data'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    // A request may still be writing when its server is killed.
    await sleep(0)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #config(): Promise<object> {
    const { users, http } = this.#options
    return {
      version: 0.1,
      log: { level: 'info' },
      storage: { filesystem: { rootdirectory: join(this.#folder, 'data') }, delete: { enabled: true } },
      http: { addr: this.host, ...http },
      ...(users && { auth: { htpasswd: { realm: 'tests', path: await this.#passwordFile(users) } } }),
    }
  }

  async #passwordFile(users: Readonly<Record<string, string>>): Promise<string> {
    const lines = await Promise.all(
      Object.entries(users).map(async ([user, password]) => {
        const { code, stdout, stderr } = await command('htpasswd', ['-Bbn', user, password])
        if (code !== 0) throw new Error(`htpasswd: ${stderr}`)
        return stdout.trim()
      }),
    )
    const path = join(this.#folder, 'htpasswd')
    writeFileSync(path, `${lines.join('\n')}\n`)
    return path
  }

  #addBlob(path: string, bytes: Buffer, mediaType: string): StoredDocument {
    const digest = digestOf(bytes)
    mkdirSync(this.#blobFolder(digest), { recursive: true })
    writeFileSync(join(this.#blobFolder(digest), 'data'), bytes)
    link(join(this.#repository(path), '_layers/sha256', digest.slice('sha256:'.length)), digest)
    return { mediaType, digest, size: bytes.length }
  }

  #repository(path: string): string {
    return join(this.#folder, 'data/docker/registry/v2/repositories', path)
  }

  #blobFolder(digest: string): string {
    const hex = digest.slice('sha256:'.length)
    return join(this.#folder, 'data/docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex)
  }
}

function link(folder: string, digest: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'link'), digest)
}

/** Names of the files below a folder, for what must not be left behind. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted()
}
