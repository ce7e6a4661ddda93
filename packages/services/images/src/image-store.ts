import { parseTimeNs, zeroTime } from '@berth/base'
import type { Database } from '@berth/database'
import {
  chainIds,
  type Descriptor,
  type Digest,
  formatReference,
  type ImageConfig,
  parseReference,
  type Reference,
  withDefaultTag,
} from '@berth/oci'

/** An image that is in the store. */
export interface ImageRecord {
  /** Digest of the config. */
  readonly id: Digest
  readonly manifest: Descriptor
  readonly config: ImageConfig
  /** The blobs of the layers, base first, as they came. */
  readonly layers: readonly Descriptor[]
  /** Unpacked bytes of each layer; undefined until it was unpacked. */
  readonly layerSizes?: readonly number[]
  readonly parent: Digest | ''
  /** RFC 3339. */
  readonly lastTaggedAt: string
}

/** A reference and what it stands for: a manifest, or an index of several images. */
export interface NameRecord {
  readonly reference: Reference
  readonly target: Descriptor
  /** The images that are here, the one for this host first. */
  readonly images: readonly Digest[]
  /** What the target leads to besides what the images themselves have: manifests, compressed layers, attestations. */
  readonly blobs?: readonly Digest[]
}

export type StoreChange =
  | { readonly kind: 'putImage'; readonly image: ImageRecord }
  | { readonly kind: 'dropImage'; readonly id: Digest }
  | { readonly kind: 'putName'; readonly name: NameRecord }
  | { readonly kind: 'dropName'; readonly reference: Reference }

const migrations = [
  `CREATE TABLE images (
     id TEXT PRIMARY KEY,
     parent TEXT NOT NULL,
     last_tagged_at TEXT NOT NULL,
     doc TEXT NOT NULL
   ) STRICT;
   CREATE TABLE image_names (
     name TEXT PRIMARY KEY,
     target TEXT NOT NULL,
     images TEXT NOT NULL
   ) STRICT`,
  `ALTER TABLE image_names ADD COLUMN blobs TEXT NOT NULL DEFAULT '[]'`,
]

/** What is kept of a reference with both tag and digest is the digest. */
export function keyOf(reference: Reference): string {
  const { domain, path, digest } = reference
  return formatReference(digest === undefined ? withDefaultTag(reference) : { domain, path, digest })
}

/** Images and names: written to the database first, then to the maps that everything reads. */
export class ImageStore {
  readonly images = new Map<Digest, ImageRecord>()
  readonly names = new Map<string, NameRecord>()
  readonly #namesOf = new Map<Digest, Map<string, NameRecord>>()
  readonly #childrenOf = new Map<Digest, Set<Digest>>()
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
    database.migrate('images', migrations)
    for (const row of database.prepare('SELECT id, parent, last_tagged_at, doc FROM images').all()) {
      this.#remember({ kind: 'putImage', image: toImageRecord(row) })
    }
    for (const row of database.prepare('SELECT name, target, images, blobs FROM image_names').all()) {
      this.#remember({ kind: 'putName', name: toNameRecord(row) })
    }
  }

  /** All of `changes` or none. */
  commit(changes: readonly StoreChange[]): void {
    this.#database.transaction(() => {
      for (const change of changes) this.#write(change)
    })
    for (const change of changes) this.#remember(change)
  }

  /** The names of an image, sorted. */
  namesOf(id: Digest): NameRecord[] {
    const names = this.#namesOf.get(id)
    return names ? [...names].toSorted(byKey).map(([, name]) => name) : []
  }

  hasNames(id: Digest): boolean {
    return this.#namesOf.has(id)
  }

  hasChildren(id: Digest): boolean {
    return this.#childrenOf.has(id)
  }

  #write(change: StoreChange): void {
    const prepare = (sql: string) => this.#database.prepare(sql)
    switch (change.kind) {
      case 'putImage': {
        const { id, parent, lastTaggedAt, ...doc } = change.image
        prepare('INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?)').run(id, parent, lastTaggedAt, JSON.stringify(doc))
        break
      }
      case 'dropImage':
        prepare('DELETE FROM images WHERE id = ?').run(change.id)
        break
      case 'putName': {
        const { reference, target, images, blobs = [] } = change.name
        const values = [keyOf(reference), ...[target, images, blobs].map((one) => JSON.stringify(one))] as const
        prepare('INSERT OR REPLACE INTO image_names VALUES (?, ?, ?, ?)').run(...values)
        break
      }
      case 'dropName':
        prepare('DELETE FROM image_names WHERE name = ?').run(keyOf(change.reference))
        break
    }
  }

  #remember(change: StoreChange): void {
    switch (change.kind) {
      case 'putImage':
        this.#unlinkParent(change.image.id)
        this.images.set(change.image.id, change.image)
        if (change.image.parent) addTo(this.#childrenOf, change.image.parent, change.image.id)
        break
      case 'dropImage':
        this.#unlinkParent(change.id)
        this.images.delete(change.id)
        break
      case 'putName':
        this.#forgetName(keyOf(change.name.reference))
        this.#rememberName(keyOf(change.name.reference), change.name)
        break
      case 'dropName':
        this.#forgetName(keyOf(change.reference))
        break
    }
  }

  #unlinkParent(id: Digest): void {
    const parent = this.images.get(id)?.parent
    const children = parent && this.#childrenOf.get(parent)
    if (!parent || !children) return
    children.delete(id)
    if (children.size === 0) this.#childrenOf.delete(parent)
  }

  #rememberName(key: string, name: NameRecord): void {
    this.names.set(key, name)
    for (const id of name.images) {
      const names = this.#namesOf.get(id) ?? new Map<string, NameRecord>()
      this.#namesOf.set(id, names.set(key, name))
    }
  }

  #forgetName(key: string): void {
    for (const id of this.names.get(key)?.images ?? []) {
      const names = this.#namesOf.get(id)
      names?.delete(key)
      if (names?.size === 0) this.#namesOf.delete(id)
    }
    this.names.delete(key)
  }
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function addTo<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const values = map.get(key)
  if (values) values.add(value)
  else map.set(key, new Set([value]))
}

/** The rows are our own: what `commit` wrote is not decoded anew field by field. */
function toImageRecord(row: Readonly<Record<string, unknown>>): ImageRecord {
  const doc = JSON.parse(String(row['doc'])) as Omit<ImageRecord, 'id' | 'parent' | 'lastTaggedAt'>
  return {
    ...doc,
    id: row['id'] as Digest,
    parent: row['parent'] as Digest | '',
    lastTaggedAt: String(row['last_tagged_at']),
  }
}

function toNameRecord(row: Readonly<Record<string, unknown>>): NameRecord {
  return {
    reference: parseReference(String(row['name'])),
    target: JSON.parse(String(row['target'])) as Descriptor,
    images: JSON.parse(String(row['images'])) as Digest[],
    blobs: JSON.parse(String(row['blobs'])) as Digest[],
  }
}

/** What a name keeps, beside what its images do. */
export const blobsOfName = ({ target, blobs = [] }: NameRecord): Digest[] => [target.digest, ...blobs]

const chains = new WeakMap<ImageConfig, readonly Digest[]>()

/** Chain ids of the layers, base first; computed once, for a record never changes. */
export function chainIdsOf({ config }: ImageRecord): readonly Digest[] {
  const known = chains.get(config)
  if (known) return known
  const computed = chainIds(config.rootfs.diff_ids)
  chains.set(config, computed)
  return computed
}

/** Nanoseconds since the epoch; Go's zero time when the config does not say, as Docker takes it. */
export function createdNsOf(image: ImageRecord): bigint {
  return parseTimeNs(image.config.created ?? '') ?? (parseTimeNs(zeroTime) as bigint)
}
