import type { Database } from '@berth/database'
import type { Descriptor, Digest } from '@berth/oci'

export interface Place {
  readonly domain: string
  readonly path: string
}

const migrations = [
  `CREATE TABLE image_blob_sources (
     digest TEXT NOT NULL,
     domain TEXT NOT NULL,
     path TEXT NOT NULL,
     seen INTEGER NOT NULL,
     PRIMARY KEY (digest, domain, path)
   ) STRICT;
   CREATE TABLE image_compressed_layers (
     diff_id TEXT PRIMARY KEY,
     descriptor TEXT NOT NULL
   ) STRICT`,
]

/** Repositories that are remembered for one blob. */
const maxSources = 20

/** What transfers have taught: where blobs are, and what our own layers become when they are compressed. */
export class TransferStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
    database.migrate('image_transfers', migrations)
  }

  /** A repository that has these blobs. */
  recordSource(digests: readonly Digest[], { domain, path }: Place): void {
    this.#database.transaction(() => {
      for (const digest of digests) {
        this.#run('INSERT OR REPLACE INTO image_blob_sources VALUES (?, ?, ?, ?)', digest, domain, path, Date.now())
        this.#run(
          `DELETE FROM image_blob_sources WHERE digest = ? AND rowid NOT IN
             (SELECT rowid FROM image_blob_sources WHERE digest = ? ORDER BY seen DESC LIMIT ${maxSources})`,
          digest,
          digest,
        )
      }
    })
  }

  /** Whether a registry has or had it: then it is not ours alone, to be changed. */
  hasSource(digest: Digest): boolean {
    return this.#all('SELECT 1 FROM image_blob_sources WHERE digest = ? LIMIT 1', digest).length > 0
  }

  /** Paths of repositories of `domain` that had the blob, the latest first. */
  pathsWith(digest: Digest, domain: string): string[] {
    const sql = 'SELECT path FROM image_blob_sources WHERE digest = ? AND domain = ? ORDER BY seen DESC'
    return this.#all(sql, digest, domain).map((row) => String(row['path']))
  }

  forgetSource(digest: Digest, { domain, path }: Place): void {
    this.#run('DELETE FROM image_blob_sources WHERE digest = ? AND domain = ? AND path = ?', digest, domain, path)
  }

  recordCompressed(diffId: Digest, descriptor: Descriptor): void {
    this.#run('INSERT OR REPLACE INTO image_compressed_layers VALUES (?, ?)', diffId, JSON.stringify(descriptor))
  }

  /** What the plain layer `diffId` was when it was pushed. The rows are our own, as `recordCompressed` wrote them. */
  compressedOf(diffId: Digest): Descriptor | undefined {
    const [row] = this.#all('SELECT descriptor FROM image_compressed_layers WHERE diff_id = ?', diffId)
    return row && (JSON.parse(String(row['descriptor'])) as Descriptor)
  }

  /** Forgets everything of blobs that no image has any more. */
  sweep(blobs: ReadonlySet<Digest>, diffIds: ReadonlySet<Digest>): void {
    this.#database.transaction(() => {
      const kept = new Set(blobs)
      for (const row of this.#all('SELECT diff_id, descriptor FROM image_compressed_layers')) {
        const diffId = row['diff_id'] as Digest
        if (diffIds.has(diffId)) kept.add((JSON.parse(String(row['descriptor'])) as Descriptor).digest)
        else this.#run('DELETE FROM image_compressed_layers WHERE diff_id = ?', diffId)
      }
      for (const { digest } of this.#all('SELECT DISTINCT digest FROM image_blob_sources')) {
        if (!kept.has(digest as Digest)) this.#run('DELETE FROM image_blob_sources WHERE digest = ?', String(digest))
      }
    })
  }

  #run(sql: string, ...values: (string | number)[]): void {
    this.#database.prepare(sql).run(...values)
  }

  #all(sql: string, ...values: string[]): Readonly<Record<string, unknown>>[] {
    return this.#database.prepare(sql).all(...values)
  }
}
