import { codeOf, invalid } from '@berth/base'
import { type MountInfo, readMountInfo } from '@berth/linux'
import { realpath } from 'node:fs/promises'
import type { MountPoint } from './container.ts'
import { isInside, isRelatedTo } from './plan/mount-points.ts'

/**
 * Refuses, in Docker's words, a propagation that the mount in which a bind's source stands has nothing to pass on by. Binds
 * that hold the engine's data are `rslave` unasked, and pass as slaves of nothing: as in Docker they are private then.
 */
export async function requirePropagation({ source, propagation = '' }: MountPoint, dataRoot: string): Promise<void> {
  if (!/^r?(shared|slave)$/.test(propagation)) return
  if (propagation.endsWith('slave') && isRelatedTo(dataRoot, source)) return
  const path = await realpath(source).catch((error: unknown) => {
    throw invalid(`path ${source}: ${codeOf(error)}`, error)
  })
  const problem = propagationProblem(path, propagation, readMountInfo())
  if (problem !== undefined) throw invalid(`path ${source} is mounted on ${problem}`)
}

/** What is wrong with the mount of `path`, or undefined. */
export function propagationProblem(
  path: string,
  propagation: string,
  mounts: readonly Pick<MountInfo, 'target' | 'optional'>[],
): string | undefined {
  const mount = mounts.reduce((best, next) => (isNearer(path, next.target, best.target) ? next : best), {
    target: '',
    optional: [] as readonly string[],
  })
  const has = (kind: string) => mount.optional.some((field) => field.startsWith(`${kind}:`))
  const takesSlave = propagation.endsWith('slave')
  if (has('shared') || (takesSlave && has('master'))) return undefined
  return `${mount.target} but it is not a shared${takesSlave ? ' or slave' : ''} mount`
}

/** Of two mounts on one directory the later one counts. */
const isNearer = (path: string, target: string, than: string): boolean =>
  target.length >= than.length && isInside(path, target)
