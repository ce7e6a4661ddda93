import { codeOf, invalid } from '@berth/base'
import type { MountSpec } from '@berth/engine-api'
import type { Propagation, SpecMount } from '@berth/runtime'
import { mkdir, stat } from 'node:fs/promises'
import type { Container } from './container.ts'
import { parseBind } from './plan/binds.ts'
import { cleanPath } from './plan/clean-path.ts'
import { tmpfsMountOptions } from './plan/tmpfs-mounts.ts'

/** What the user asked to have mounted, as the spec takes it: binds, mounts, then tmpfs. */
export function specMounts({ hostConfig, mounts }: Pick<Container, 'hostConfig' | 'mounts'>): SpecMount[] {
  const propagationOf = (destination: string) =>
    (mounts.find((mount) => mount.destination === destination)?.propagation || 'rprivate') as Propagation
  return [
    ...(hostConfig.Binds ?? []).map((bind) => specBind(bind, propagationOf)),
    ...(hostConfig.Mounts ?? []).map((mount) => specMount(mount, propagationOf)),
    ...Object.entries(hostConfig.Tmpfs ?? {}).map(([destination, options]) => specTmpfs(destination, options)),
  ]
}

type PropagationOf = (destination: string) => Propagation

function specBind(text: string, propagationOf: PropagationOf): SpecMount {
  const { source, destination, isReadOnly } = parseBind(text)
  const propagation = propagationOf(destination)
  return {
    type: 'bind',
    source,
    destination,
    readOnly: isReadOnly,
    recursive: true,
    readOnlyRecursion: 'if-possible',
    propagation,
  }
}

function specMount(mount: MountSpec, propagationOf: PropagationOf): SpecMount {
  const destination = cleanPath(mount.Target)
  const readOnly = mount.ReadOnly ?? false
  if (mount.Type === 'tmpfs') return { type: 'tmpfs', destination, options: tmpfsMountOptions(mount), readOnly }
  const { NonRecursive, ReadOnlyForceRecursive, ReadOnlyNonRecursive } = mount.BindOptions ?? {}
  return {
    type: 'bind',
    source: cleanPath(mount.Source ?? ''),
    destination,
    readOnly,
    recursive: !NonRecursive,
    readOnlyRecursion: ReadOnlyForceRecursive ? 'force' : ReadOnlyNonRecursive ? 'none' : 'if-possible',
    propagation: propagationOf(destination),
  }
}

function specTmpfs(destination: string, options: string): SpecMount {
  return { type: 'tmpfs', destination: cleanPath(destination), options: options.split(',').filter(Boolean) }
}

/** `--mount` refuses a source that is not there, `-v` makes a directory of it (`ensureBindSources`). */
export async function requireBindSources({ Mounts }: Pick<Container['hostConfig'], 'Mounts'>): Promise<void> {
  for (const mount of Mounts ?? []) {
    if (mount.Type !== 'bind' || mount.BindOptions?.CreateMountpoint || (await exists(mount.Source ?? ''))) continue
    throw invalid(`invalid mount config for type "bind": bind source path does not exist: ${mount.Source}`)
  }
}

/** Makes the missing sources that may be made, owned by root; refuses the others. */
export async function ensureBindSources({
  Binds,
  Mounts,
}: Pick<Container['hostConfig'], 'Binds' | 'Mounts'>): Promise<void> {
  const made = (Mounts ?? []).filter(({ Type, BindOptions }) => Type === 'bind' && BindOptions?.CreateMountpoint)
  const sources = [...(Binds ?? []).map((bind) => parseBind(bind).source), ...made.map(({ Source }) => Source ?? '')]
  for (const source of sources) if (!(await exists(source))) await makeSource(source)
  await requireBindSources({ Mounts })
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
