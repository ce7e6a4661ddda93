import type { Digest } from '@berth/oci'

/** A manifest or index of a repository; its bytes are in the content store. */
export interface ManifestRecord {
  readonly digest: Digest
  readonly mediaType: string
  readonly sizeBytes: number
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly subject?: Digest
}

export interface Need {
  readonly digest: Digest
  readonly sizeBytes: number
}

/** What a manifest needs to be there beside it. */
export interface ManifestNeeds {
  readonly blobs: readonly Need[]
  readonly manifests: readonly Need[]
}

export interface Page {
  /** At most so many. */
  readonly limit: number
  /** Only what comes after it. */
  readonly last?: string
}

export interface UploadRecord {
  readonly id: string
  readonly name: string
}

/**
 * Which repositories there are and what each holds. A repository comes into being with the first thing in it. All of it
 * is in one SQLite file; every method is one transaction.
 */
export interface RegistryStore {
  linkBlob(name: string, digest: Digest): void
  /** Also notes that somebody has asked, so that the collector waits for his manifest. */
  hasBlob(name: string, digest: Digest): boolean
  /** False when `from` has no such blob. */
  mountBlob(from: string, name: string, digest: Digest): boolean
  unlinkBlob(name: string, digest: Digest): boolean
  /** A manifest of `name` that needs `digest`. */
  neededBy(name: string, digest: Digest): Digest | undefined

  /** Records the manifest and its tag; returns what it needs and the repository lacks, and then records nothing. */
  putManifest(name: string, manifest: ManifestRecord, needs: ManifestNeeds, tag?: string): Digest[]
  /** The same of a cache, whose blobs come when they are asked for. */
  cacheManifest(name: string, manifest: ManifestRecord, needs: ManifestNeeds, tag?: string): void
  /** How large a blob is that a manifest of `name` needs. */
  neededSize(name: string, digest: Digest): number | undefined
  /** Also notes that somebody has asked. */
  findManifest(name: string, reference: string): ManifestRecord | undefined
  /** Takes its tags along. */
  removeManifest(name: string, digest: Digest): boolean
  removeTag(name: string, tag: string): boolean

  hasRepository(name: string): boolean
  repositories(page: Page): string[]
  tags(name: string, page: Page): string[]
  referrers(name: string, subject: Digest, page: Page, artifactType?: string): ManifestRecord[]

  addUpload(upload: UploadRecord): void
  findUpload(id: string): UploadRecord | undefined
  removeUpload(id: string): void
  countUploads(): number

  /** Forgets links to blobs, older than that, which no manifest of their repository needs; how many. */
  forgetUnneededBlobs(olderThanMs: number): number
  /** Forgets manifests, older than that, which no tag, index or subject holds; how many. */
  forgetUntaggedManifests(olderThanMs: number): number
  /** Forgets manifests, and their tags, for which nobody has asked since; how many. */
  forgetUnusedManifests(olderThanMs: number): number
  /** Whether any repository has it. */
  isHeld(digest: Digest): boolean
}
