import type { Database } from '@berth/database'
import type { Digest } from '@berth/oci'
import { openCollection } from './collection.ts'
import { migrations } from './migrations.ts'
import type { ManifestNeeds, ManifestRecord, Page, RegistryStore } from './registry-store.ts'

/** A blob that somebody asked for is noted again only after so long: reading must not mean writing. */
const noteEveryMs = 5 * 60_000

export function openRegistryStore(database: Database): RegistryStore {
  database.migrate('registry', migrations)
  const repositories = prepareRepositories(database)
  const blobs = prepareBlobs(database)
  const manifests = prepareManifests(database)
  const uploads = prepareUploads(database)
  const { transaction } = database
  const hasBlob = (name: string, digest: Digest): boolean => {
    const linkedMs = blobs.find.get(name, digest)?.['linked_ms']
    if (linkedMs === undefined) return false
    if (Number(linkedMs) < Date.now() - noteEveryMs) blobs.note.run(Date.now(), name, digest)
    return true
  }
  const linkBlob = (name: string, digest: Digest): void => {
    repositories.add.run(name)
    blobs.link.run(name, digest, Date.now())
  }
  const putManifest = (name: string, manifest: ManifestRecord, needs: ManifestNeeds, tag?: string): void => {
    repositories.add.run(name)
    manifests.put(name, manifest, needs)
    if (tag !== undefined) manifests.tag.run(name, tag, manifest.digest)
  }
  return {
    linkBlob: (name, digest) => transaction(() => linkBlob(name, digest)),
    hasBlob,
    mountBlob: (from, name, digest) =>
      transaction(() => {
        const isThere = hasBlob(from, digest)
        if (isThere) linkBlob(name, digest)
        return isThere
      }),
    unlinkBlob: (name, digest) => blobs.unlink.run(name, digest).changes > 0,
    neededBy: (name, digest) => blobs.needed.get(name, digest)?.['manifest'] as Digest | undefined,
    putManifest: (name, manifest, needs, tag) =>
      transaction(() => {
        const missing = [
          ...needs.blobs.filter(({ digest }) => !blobs.find.get(name, digest)),
          ...needs.manifests.filter(({ digest }) => !manifests.find.get(name, digest)),
        ]
        if (missing.length > 0) return missing.map(({ digest }) => digest)
        putManifest(name, manifest, needs, tag)
        return []
      }),
    cacheManifest: (...args) => transaction(() => putManifest(...args)),
    neededSize: (name, digest) => {
      const row = blobs.needed.get(name, digest)
      return row && Number(row['size_bytes'])
    },
    findManifest: (name, reference) => {
      const row = reference.includes(':') ? manifests.find.get(name, reference) : manifests.ofTag.get(name, reference)
      if (!row) return undefined
      const now = Date.now()
      if (Number(row['used_ms']) < now - noteEveryMs) manifests.note.run(now, name, String(row['digest']))
      return toManifest(row)
    },
    removeManifest: (name, digest) => manifests.remove.run(name, digest).changes > 0,
    removeTag: (name, tag) => manifests.untag.run(name, tag).changes > 0,
    hasRepository: (name) => repositories.find.get(name) !== undefined,
    repositories: ({ limit, last = '' }) => repositories.list.all(last, limit).map((row) => String(row['name'])),
    tags: (name, page) => manifests.tags(name, page),
    referrers: (name, subject, { limit, last = '' }, artifactType) =>
      manifests.referrers.all(name, subject, last, artifactType ?? null, artifactType ?? null, limit).map(toManifest),
    addUpload: ({ id, name }) => void uploads.add.run(id, name),
    findUpload: (id) => {
      const row = uploads.find.get(id)
      return row && { id, name: String(row['name']) }
    },
    removeUpload: (id) => void uploads.remove.run(id),
    countUploads: () => Number(uploads.count.get()?.['count']),
    ...openCollection(database),
  }
}

function prepareRepositories(database: Database) {
  return {
    add: database.prepare('INSERT INTO repository (name) VALUES (?) ON CONFLICT DO NOTHING'),
    find: database.prepare('SELECT 1 FROM repository WHERE name = ?'),
    list: database.prepare(
      `SELECT name FROM repository r WHERE name > ? AND EXISTS (SELECT 1 FROM manifest m WHERE m.repository = r.name)
       ORDER BY name LIMIT ?`,
    ),
  }
}

function prepareBlobs(database: Database) {
  return {
    find: database.prepare('SELECT linked_ms FROM blob_link WHERE repository = ? AND digest = ?'),
    note: database.prepare('UPDATE blob_link SET linked_ms = ? WHERE repository = ? AND digest = ?'),
    link: database.prepare(
      'INSERT INTO blob_link VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET linked_ms = excluded.linked_ms',
    ),
    unlink: database.prepare('DELETE FROM blob_link WHERE repository = ? AND digest = ?'),
    needed: database.prepare(
      'SELECT manifest, size_bytes FROM manifest_need WHERE repository = ? AND digest = ? LIMIT 1',
    ),
  }
}

function prepareManifests(database: Database) {
  const columns = 'm.digest, m.media_type, m.size_bytes, m.artifact_type, m.annotations, m.subject, m.used_ms'
  const insert = database.prepare(
    `INSERT INTO manifest (repository, digest, media_type, size_bytes, artifact_type, annotations, subject, pushed_ms, used_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET media_type = excluded.media_type, pushed_ms = excluded.pushed_ms, used_ms = excluded.used_ms`,
  )
  const need = database.prepare('INSERT INTO manifest_need VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING')
  // The order of the specification is that of letters, whatever their case.
  const firstTags = database.prepare(
    'SELECT name FROM tag WHERE repository = ? ORDER BY name COLLATE NOCASE, name LIMIT ?',
  )
  const nextTags = database.prepare(
    `SELECT name FROM tag WHERE repository = ? AND (name > ? COLLATE NOCASE OR (name = ? COLLATE NOCASE AND name > ?))
     ORDER BY name COLLATE NOCASE, name LIMIT ?`,
  )
  return {
    put(name: string, manifest: ManifestRecord, needs: ManifestNeeds): void {
      const { digest, mediaType, sizeBytes, artifactType, annotations, subject } = manifest
      const notes = annotations === undefined ? null : JSON.stringify(annotations)
      const now = Date.now()
      insert.run(name, digest, mediaType, sizeBytes, artifactType ?? null, notes, subject ?? null, now, now)
      for (const needed of [...needs.blobs, ...needs.manifests]) {
        need.run(name, digest, needed.digest, needed.sizeBytes)
      }
    },
    note: database.prepare('UPDATE manifest SET used_ms = ? WHERE repository = ? AND digest = ?'),
    tag: database.prepare('INSERT INTO tag VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET digest = excluded.digest'),
    untag: database.prepare('DELETE FROM tag WHERE repository = ? AND name = ?'),
    find: database.prepare(`SELECT ${columns} FROM manifest m WHERE m.repository = ? AND m.digest = ?`),
    ofTag: database.prepare(
      `SELECT ${columns} FROM tag t JOIN manifest m ON m.repository = t.repository AND m.digest = t.digest
       WHERE t.repository = ? AND t.name = ?`,
    ),
    remove: database.prepare('DELETE FROM manifest WHERE repository = ? AND digest = ?'),
    tags(name: string, { limit, last }: Page): string[] {
      const rows = last === undefined ? firstTags.all(name, limit) : nextTags.all(name, last, last, last, limit)
      return rows.map((row) => String(row['name']))
    },
    referrers: database.prepare(
      `SELECT ${columns} FROM manifest m WHERE m.repository = ? AND m.subject = ? AND m.digest > ?
       AND (? IS NULL OR m.artifact_type = ?) ORDER BY m.digest LIMIT ?`,
    ),
  }
}

function prepareUploads(database: Database) {
  return {
    add: database.prepare('INSERT INTO upload VALUES (?, ?)'),
    find: database.prepare('SELECT name FROM upload WHERE id = ?'),
    remove: database.prepare('DELETE FROM upload WHERE id = ?'),
    count: database.prepare('SELECT count(*) AS count FROM upload'),
  }
}

function toManifest(row: Record<string, unknown>): ManifestRecord {
  const { artifact_type: artifactType, annotations, subject } = row
  return {
    digest: row['digest'] as Digest,
    mediaType: String(row['media_type']),
    sizeBytes: Number(row['size_bytes']),
    ...(artifactType !== null && { artifactType: String(artifactType) }),
    ...(annotations !== null && { annotations: JSON.parse(String(annotations)) as Record<string, string> }),
    ...(subject !== null && { subject: subject as Digest }),
  }
}
