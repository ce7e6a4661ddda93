import { type Call, type GrpcRouter, grpcCode, GrpcError, sendEntries, sessionMethods } from '@berth/buildkit-protocol'
import { memoryEntries } from '../files/memory-entries.ts'
import { walkDirectory } from '../files/walk-directory.ts'
import type { SessionService } from './open-session.ts'

/** A directory that the engine may pull: ours at a path, or files that are only here, by their names. */
export type SyncedDirectory = { readonly path: string } | { readonly files: ReadonlyMap<string, Buffer> }

/** Lets the engine pull directories, by the names that a build gives them. */
export function fileSyncService(directories: ReadonlyMap<string, SyncedDirectory>): SessionService {
  return (router: GrpcRouter) => {
    router.stream(sessionMethods.syncFiles, async (channel) => {
      const [name = ''] = valuesOf(channel, 'dir-name')
      const directory = directories.get(name)
      if (directory === undefined) {
        throw new GrpcError(grpcCode.notFound, `no access allowed to dir ${JSON.stringify(name)}`)
      }
      const wanted = {
        excludes: valuesOf(channel, 'exclude-patterns'),
        includes: valuesOf(channel, 'include-patterns'),
        follows: valuesOf(channel, 'followpaths'),
      }
      const entries = 'path' in directory ? walkDirectory(directory.path, wanted) : memoryEntries(directory.files)
      await sendEntries(channel, entries)
    })
    return [sessionMethods.syncFiles.path]
  }
}

/** The values of repeated metadata; those that are not ASCII are escaped as in a URL's query. */
function valuesOf(call: Call, name: string): string[] {
  const values = call.values(name)
  if (call.values(`${name}-encoded`).length === 0) return values
  return values.map((text) => decodeURIComponent(text.replaceAll('+', ' ')))
}
