import { readlinkSync } from 'node:fs'
import { isKind } from '@berth/base'
import { protocolVersion } from '../protocol/messages.ts'
import { openIfThere, supervisorSocket } from './launch-supervisor.ts'

/**
 * The pid of the run root's supervisor where it has containers and other mounts than this process: what is mounted here,
 * it does not see. One without containers is ended: the next one has our mounts. Of another protocol's nothing is said.
 * For whoever owns the run root.
 */
export async function supervisorElsewhere(runRoot: string): Promise<number | undefined> {
  const link = await openIfThere({ path: supervisorSocket(runRoot), onAnnouncement() {}, onClose() {} })
  if (!link) return undefined
  using living = link
  const { pid, protocol } = living.welcome
  const itsMounts = mountNamespace(pid)
  if (protocol !== protocolVersion || itsMounts === undefined || itsMounts === mountNamespace('self')) return undefined
  try {
    await living.request({ op: 'shutdown' })
    return undefined
  } catch (error) {
    if (isKind(error, 'conflict')) return pid
    throw error
  }
}

/** Undefined once the process has ended. A runtime that has entered a container's cgroup is in the supervisor's. */
export function mountNamespace(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`)
  } catch {
    return undefined
  }
}
