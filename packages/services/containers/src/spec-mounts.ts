import { codeOf, invalid } from '@berth/base'
import { mountRestrictions } from '@berth/linux'
import type { Propagation, SpecMount } from '@berth/runtime'
import { mkdir, stat } from 'node:fs/promises'
import type { Container, MountPoint } from './container.ts'
import type { PinnedSources } from './pinned-mounts.ts'
import { cleanPath } from './plan/clean-path.ts'
import { requirePropagation } from './propagation.ts'

/** What the user asked to have mounted, as the spec takes it: binds, volumes and mounts, then tmpfs. */
export async function specMounts(
  { hostConfig, mounts }: Pick<Container, 'hostConfig' | 'mounts'>,
  { sources, dataRoot }: { readonly sources: PinnedSources; readonly dataRoot: string },
): Promise<SpecMount[]> {
  for (const mount of mounts) await requirePropagation(mount, dataRoot)
  return [
    ...(await Promise.all(
      mounts.map((mount) => specMount({ ...mount, source: sources.get(mount.destination) ?? mount.source })),
    )),
    ...Object.entries(hostConfig.Tmpfs ?? {}).map(([destination, options]) => specTmpfs(destination, options)),
  ]
}

async function specMount(mount: MountPoint): Promise<SpecMount> {
  const { destination, source, rw, recursive = true } = mount
  if (mount.type === 'tmpfs') return { type: 'tmpfs', destination, options: mount.tmpfsOptions ?? [], readOnly: !rw }
  // crun makes nothing but directories recursively read-only.
  const readOnlyRecursion = (await isDirectory(source)) ? (mount.readOnlyRecursion ?? 'if-possible') : 'none'
  const propagation = (mount.propagation || 'rprivate') as Propagation
  // A bind inherits these, but crun takes them off again.
  const restrictions = mountRestrictions(source)
  return {
    type: 'bind',
    source,
    destination,
    readOnly: !rw || restrictions.includes('ro'),
    recursive,
    readOnlyRecursion: rw ? 'none' : readOnlyRecursion,
    propagation,
    restrictions: restrictions.filter((name) => name !== 'ro'),
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (status) => status.isDirectory(),
    () => true,
  )
}

function specTmpfs(destination: string, options: string): SpecMount {
  return { type: 'tmpfs', destination: cleanPath(destination), options: options.split(',').filter(Boolean) }
}

/** `--mount` refuses a source that is not there, `-v` makes a directory of it (`ensureBindSources`). */
export async function requireBindSources(mounts: readonly MountPoint[]): Promise<void> {
  for (const { type, source, makesSource } of mounts) {
    if (type !== 'bind' || makesSource || (await exists(source))) continue
    throw invalid(`invalid mount config for type "bind": bind source path does not exist: ${source}`)
  }
}

/** Makes the missing sources that may be made, owned by root; refuses the others. */
export async function ensureBindSources(mounts: readonly MountPoint[]): Promise<void> {
  for (const { type, source, makesSource } of mounts) {
    if (type === 'bind' && makesSource && !(await exists(source))) await makeSource(source)
  }
  await requireBindSources(mounts)
}

async function makeSource(source: string): Promise<void> {
  await mkdir(source, { recursive: true, mode: 0o755 }).catch((error: unknown) => {
    throw invalid(`error while creating mount source path '${source}': mkdir ${source}: ${codeOf(error)}`, error)
  })
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error: unknown) => codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR',
  )
}
