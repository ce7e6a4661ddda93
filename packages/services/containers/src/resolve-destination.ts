import { codeOf, invalid } from '@berth/base'
import type { SpecMount } from '@berth/runtime'
import { followLinks } from '@berth/storage'
import { readlinkSync } from 'node:fs'
import { posix } from 'node:path'
import { requireOutsideProc } from './plan/mount-points.ts'

// As many as the kernel follows (path_resolution(7)).
const maxLinks = 40

/**
 * Mounts where links, of the image or of what is mounted before, lead: the OCI runtime makes no mount point at the end of a
 * link to nothing. It follows links itself, inside the root, should others be there by then. Refuses those that would come
 * to lie over /proc: there they could fake what the OCI runtime itself reads and writes in it.
 */
export function resolveMounts(mounts: readonly SpecMount[], rootPath: string): SpecMount[] {
  const resolved: SpecMount[] = []
  const binds: Bind[] = []
  for (const mount of mounts.toSorted((a, b) => a.destination.length - b.destination.length)) {
    const destination = resolveDestination(mount.destination, (path) => readLink(hostPath(path, binds, rootPath)))
    requireOutsideProc(mount.type === 'bind' ? mount.source : '', destination)
    resolved.push({ ...mount, destination })
    if (mount.type === 'bind') binds.push({ ...mount, destination })
  }
  return resolved
}

/** Where `destination` is in a container once its links are followed; `readLink` knows the target of what is one. */
export function resolveDestination(destination: string, readLink: (path: string) => string | undefined): string {
  const resolved = followLinks(destination, readLink, maxLinks)
  if (resolved === undefined) throw invalid(`"${destination}" cannot be mounted: too many levels of symbolic links`)
  return resolved
}

type Bind = Extract<SpecMount, { type: 'bind' }>

/** The host's path of a container's: in the innermost bind that holds it, else in the root filesystem. */
function hostPath(path: string, binds: readonly Bind[], rootPath: string): string {
  const [bind] = binds
    .filter(({ destination }) => path.startsWith(`${destination}/`))
    .toSorted((a, b) => b.destination.length - a.destination.length)
  return bind ? posix.join(bind.source, path.slice(bind.destination.length)) : posix.join(rootPath, path)
}

/** Parents have been resolved already, so that no link of a container's leads this out. */
function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EINVAL' || code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
