import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { detectCompression, magicBytes, peek } from '@berth/archive'
import type { SyncedDirectory } from '@berth/buildkit-client'
import type { BuildRequest } from './build-request.ts'
import { isRemote } from './remote-context.ts'

/** Where a build's files come from. */
export interface BuildInputs {
  readonly attributes: Readonly<Record<string, string>>
  /** What the engine may pull, by name. */
  readonly directories: ReadonlyMap<string, SyncedDirectory>
  /** An archive that is read once, as the context. */
  readonly upload: AsyncIterable<Uint8Array> | undefined
  /** Tells contexts of this client apart; '' without a directory. */
  readonly sharedKey: string
  /** The name of another build of the same run, by the name of the context. */
  readonly linked: ReadonlyMap<string, string>
}

/** Standard input, which one of several builds may take, once. */
export type ReadInput = () => AsyncIterable<Uint8Array>

const usualName = 'Dockerfile'
const ustarOffset = 257
export const openInput: ReadInput = () => createReadStream('', { fd: 0 })

/** Decides where context, Dockerfile and named contexts come from. Throws an Error in buildx's words. */
export async function openInputs(request: BuildRequest, readInput: ReadInput = openInput): Promise<BuildInputs> {
  const inputs = new Inputs(request, readInput)
  await inputs.addContext()
  await inputs.addDockerfile()
  inputs.addNamedContexts()
  return inputs
}

class Inputs implements BuildInputs {
  readonly attributes: Record<string, string> = {}
  readonly directories = new Map<string, SyncedDirectory>()
  readonly linked = new Map<string, string>()
  upload: AsyncIterable<Uint8Array> | undefined
  sharedKey = ''
  readonly #request: BuildRequest
  readonly #readInput: ReadInput
  /** Of a Dockerfile that came by itself. */
  #text: Buffer | undefined
  #folder = ''

  constructor(request: BuildRequest, readInput: ReadInput) {
    this.#request = request
    this.#readInput = readInput
    if (request.dockerfileInline !== undefined) this.#text = Buffer.from(request.dockerfileInline)
  }

  async addContext(): Promise<void> {
    const { context, dockerfile } = this.#request
    if (context === '') throw new Error('please specify build context (e.g. "." for the current directory)')
    if (context === '-') return await this.#takeInput()
    if (isDirectory(context)) return this.#addDirectory(context)
    if (!isRemote(context)) throw new Error(`unable to prepare context: path ${JSON.stringify(context)} not found`)
    this.attributes['context'] = context
    if (isAbsolute(dockerfile)) {
      this.#folder = dirname(dockerfile)
      this.attributes['dockerfilekey'] = 'dockerfile'
    }
  }

  async addDockerfile(): Promise<void> {
    const { dockerfile } = this.#request
    if (dockerfile === '-' && this.#text === undefined) this.#text = await buffer(this.#readInput())
    if (this.#text !== undefined) {
      this.directories.set('dockerfile', { files: new Map([[usualName, this.#text]]) })
      this.attributes['dockerfilekey'] = 'dockerfile'
      this.attributes['filename'] = usualName
      return
    }
    const named = dockerfile === '' ? usualName : dockerfile
    const name = this.#folder === '' ? named : basename(named)
    if (this.#folder !== '') {
      if (!isDirectory(this.#folder)) throw notFound(this.#folder)
      this.directories.set('dockerfile', { path: this.#folder })
    }
    this.attributes['filename'] = this.#folder === '' ? name : existingName(this.#folder, name)
  }

  addNamedContexts(): void {
    for (const [name, place] of Object.entries(this.#request.namedContexts)) {
      this.attributes['frontend.caps'] = 'moby.buildkit.frontend.contexts+forward'
      this.attributes[`context:${name}`] = this.#namedContext(name, place)
    }
  }

  #namedContext(name: string, place: string): string {
    if (place.startsWith('target:')) {
      this.linked.set(name, place.slice('target:'.length))
      return place
    }
    if (place.startsWith('oci-layout://')) {
      throw new Error(`build context ${name}: oci-layout:// is not supported: load the image and name it`)
    }
    if (isRemote(place) || place.startsWith('docker-image://')) return place
    const status = statSync(place, { throwIfNoEntry: false })
    if (status === undefined)
      throw new Error(`failed to get build context ${name}: stat ${place}: no such file or directory`)
    if (!status.isDirectory()) throw new Error(`failed to get build context path ${place}: not a directory`)
    const local = name === 'context' || name === 'dockerfile' ? `_${name}` : name
    this.directories.set(local, { path: resolve(place) })
    return `local:${local}`
  }

  /** An archive is the context; anything else the Dockerfile, without a context. */
  async #takeInput(): Promise<void> {
    const { dockerfile } = this.#request
    if (dockerfile === '-') throw new Error("invalid argument: can't use stdin for both build context and dockerfile")
    const { head, whole } = await peek(this.#readInput(), ustarOffset + 'ustar'.length)
    const isArchive =
      head.toString('latin1', ustarOffset, ustarOffset + 5) === 'ustar' ||
      detectCompression(head.subarray(0, magicBytes)) !== 'none'
    if (isArchive) {
      const { uploadUrl } = await import('@berth/buildkit-client')
      this.upload = whole
      this.attributes['context'] = uploadUrl
      return
    }
    if (dockerfile !== '') throw new Error('ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles')
    this.#text ??= await buffer(whole)
    this.directories.set('context', { files: new Map() })
  }

  #addDirectory(context: string): void {
    const path = resolve(context)
    this.directories.set('context', { path })
    this.sharedKey = `${basename(path)}:${createHash('sha256').update(path).digest('hex').slice(0, 16)}`
    const { dockerfile } = this.#request
    this.#folder = dockerfile === '' ? path : dirname(resolve(dockerfile))
  }
}

const notFound = (path: string): Error =>
  new Error(`failed to read dockerfile: open ${path}: no such file or directory`)

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** `dockerfile` where the usual name is asked for and only that is there. */
function existingName(folder: string, name: string): string {
  if (name !== usualName || existsSync(join(folder, name))) return name
  const names = readdirSync(folder)
  const lower = name.toLowerCase()
  return !names.includes(name) && names.includes(lower) ? lower : name
}
