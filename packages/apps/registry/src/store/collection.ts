import type { Database } from '@berth/database'
import type { RegistryStore } from './registry-store.ts'

/** The collector's half of the store. */
export function openCollection(
  database: Database,
): Pick<RegistryStore, 'forgetUnneededBlobs' | 'forgetUntaggedManifests' | 'forgetUnusedManifests' | 'isHeld'> {
  const unneeded = database.prepare(
    `DELETE FROM blob_link WHERE linked_ms < ? AND NOT EXISTS (
       SELECT 1 FROM manifest_need n WHERE n.repository = blob_link.repository AND n.digest = blob_link.digest)`,
  )
  // What an index lists, and what refers to a manifest that stays, stays with it.
  const untagged = database.prepare(
    `DELETE FROM manifest WHERE pushed_ms < ?
     AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.repository = manifest.repository AND t.digest = manifest.digest)
     AND NOT EXISTS (SELECT 1 FROM manifest_need n WHERE n.repository = manifest.repository AND n.digest = manifest.digest)
     AND NOT EXISTS (SELECT 1 FROM manifest s WHERE s.repository = manifest.repository AND s.digest = manifest.subject)`,
  )
  const unused = database.prepare('DELETE FROM manifest WHERE used_ms < ?')
  const held = database.prepare(
    'SELECT EXISTS (SELECT 1 FROM blob_link WHERE digest = ?) OR EXISTS (SELECT 1 FROM manifest WHERE digest = ?) AS held',
  )
  return {
    forgetUnneededBlobs: (olderThanMs) => unneeded.run(olderThanMs).changes,
    // An index that goes lets go of its children: until nothing more goes.
    forgetUntaggedManifests: (olderThanMs) =>
      database.transaction(() => {
        let total = 0
        for (let gone = untagged.run(olderThanMs).changes; gone > 0; gone = untagged.run(olderThanMs).changes) {
          total += gone
        }
        return total
      }),
    forgetUnusedManifests: (olderThanMs) => unused.run(olderThanMs).changes,
    isHeld: (digest) => held.get(digest, digest)?.['held'] === 1,
  }
}
