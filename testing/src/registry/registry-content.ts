import { createHash } from 'node:crypto'

export interface StoredManifest {
  readonly mediaType: string
  readonly bytes: Buffer
}

/** One repository, in memory. */
export interface Repository {
  readonly tags: Map<string, string>
  readonly manifests: Map<string, StoredManifest>
  readonly blobs: Map<string, Buffer>
}

export interface BlobDescriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

export const digestOf = (bytes: Buffer | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** What a registry has: by repository, so that one that was pushed is not in another. */
export class RegistryContent {
  readonly #repositories = new Map<string, Repository>()

  names(): string[] {
    return [...this.#repositories.keys()].toSorted()
  }

  find(name: string): Repository | undefined {
    return this.#repositories.get(name)
  }

  repository(name: string): Repository {
    const found = this.#repositories.get(name)
    if (found) return found
    const made: Repository = { tags: new Map(), manifests: new Map(), blobs: new Map() }
    this.#repositories.set(name, made)
    return made
  }

  addBlob(name: string, bytes: Buffer, mediaType = 'application/octet-stream'): BlobDescriptor {
    const digest = digestOf(bytes)
    this.repository(name).blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.length }
  }

  /** Stores the document as it is, by its digest and by `tag`. */
  addManifest(name: string, document: object | string | Buffer, options: ManifestOptions = {}): BlobDescriptor {
    const isText = typeof document === 'string' || Buffer.isBuffer(document)
    const bytes = Buffer.from(isText ? document : JSON.stringify(document))
    const declared = isText ? undefined : (document as { mediaType?: string }).mediaType
    const mediaType = options.mediaType ?? declared ?? 'application/vnd.oci.image.manifest.v1+json'
    const digest = digestOf(bytes)
    const repository = this.repository(name)
    repository.manifests.set(digest, { mediaType, bytes })
    if (options.tag !== undefined) repository.tags.set(options.tag, digest)
    return { mediaType, digest, size: bytes.length }
  }
}

export interface ManifestOptions {
  readonly tag?: string
  readonly mediaType?: string
}
