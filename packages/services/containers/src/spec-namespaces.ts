import { EngineError, invalid } from '@berth/base'
import { mount, MS_NODEV, MS_NOEXEC, MS_NOSUID, isMountPoint, unmount } from '@berth/linux'
import type { Attachment } from '@berth/networks'
import type { NamespaceSource, SpecInput } from '@berth/runtime'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { joinedContainer } from './plan/namespace-modes.ts'
import { isAlive } from './stop.ts'

/** Where each namespace of the container comes from; a joined container must run. */
export function specNamespaces(
  context: Context,
  container: Container,
  attachment: Attachment,
): SpecInput['namespaces'] {
  const { PidMode, IpcMode, UTSMode, CgroupnsMode } = container.hostConfig
  return {
    pid: PidMode === '' ? 'private' : joinOr(context, PidMode, 'pid'),
    ipc: isOwnIpc(IpcMode) ? 'private' : joinOr(context, IpcMode, 'ipc'),
    uts: UTSMode === 'host' ? 'host' : 'private',
    cgroup: CgroupnsMode === 'host' ? 'host' : 'private',
    network: attachment.netnsPath === undefined ? 'host' : { path: attachment.netnsPath },
  }
}

const isOwnIpc = (mode: string): boolean => ['', 'none', 'private', 'shareable'].includes(mode)

function joinOr(context: Context, mode: string, kind: 'pid' | 'ipc'): NamespaceSource {
  const ref = joinedContainer(mode)
  if (ref === undefined) return 'host'
  const { state } = requireDonor(context, ref, kind)
  return { path: `/proc/${state.pid}/ns/${kind}` }
}

function requireDonor(context: Context, ref: string, kind: 'pid' | 'ipc'): Container {
  const donor = context.registry.resolve(ref)
  if (!isAlive(donor)) {
    throw new EngineError(
      'internal',
      `failed to join ${kind.toUpperCase()} namespace: container ${donor.id} is not running`,
    )
  }
  if (kind === 'ipc' && donor.hostConfig.IpcMode !== 'shareable') {
    const reason = 'non-shareable IPC (hint: use IpcMode:shareable for the donor container)'
    throw invalid(`failed to join IPC namespace: container ${donor.id}: ${reason}`)
  }
  return donor
}

/** /dev/shm by IPC mode: one's own, one that others may join, the host's, another's, none. */
export function specShm(context: Context, container: Container): SpecInput['shm'] {
  const { IpcMode, ShmSize } = container.hostConfig
  const donor = joinedContainer(IpcMode)
  if (donor !== undefined) return { path: shmPath(context, requireDonor(context, donor, 'ipc')) }
  if (IpcMode === 'none') return undefined
  if (IpcMode === 'host') return { path: '/dev/shm' }
  if (IpcMode !== 'shareable') return { sizeBytes: ShmSize }
  return { path: mountShm(context, container) }
}

function shmPath({ directory }: Pick<Context, 'directory'>, { id }: Pick<Container, 'id'>): string {
  return join(directory, id, 'shm')
}

/** A tmpfs on the host, so that containers which join can have it too; `unmountShm` releases it. */
function mountShm(context: Context, container: Container): string {
  const target = shmPath(context, container)
  mkdirSync(target, { recursive: true, mode: 0o700 })
  if (!isMountPoint(target)) {
    const data = `mode=1777,size=${container.hostConfig.ShmSize}`
    mount({ source: 'shm', target, type: 'tmpfs', flags: MS_NOSUID | MS_NODEV | MS_NOEXEC, data })
  }
  return target
}

/** Undoes `mountShm`; nothing for a container that has none. */
export function unmountShm(context: Pick<Context, 'directory'>, container: Pick<Container, 'id' | 'hostConfig'>): void {
  if (container.hostConfig.IpcMode !== 'shareable') return
  const target = shmPath(context, container)
  // One that was never started has no directory for it.
  if (existsSync(target) && isMountPoint(target)) unmount(target, { detach: true })
}
