import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerId } from '@berth/base'
import { internal, messageOf } from '@berth/base'
import type { RuntimeResources } from '@berth/oci'
import { runtimePath } from '../crun/arguments.ts'
import type { RuntimeCommand } from '../protocol/messages.ts'

export interface ResourceUpdate {
  readonly command: RuntimeCommand
  readonly ociRoot: string
  readonly bundle: string
  readonly containerId: ContainerId
  readonly resources: RuntimeResources
  /** The directory of the container's cgroup that limits pids. */
  readonly pidsCgroup: string
}

/** Sets limits of a running container by the OCI runtime; what is absent stays. Rejects with `internal` in its words. */
export async function updateResources(update: ResourceUpdate): Promise<void> {
  const { command, ociRoot, bundle, containerId } = update
  const { pids, ...others } = update.resources
  // crun writes the number as it is, and -1 is none that the kernel takes.
  const isUnlimited = pids !== undefined && pids.limit <= 0
  const resources = isUnlimited ? others : update.resources
  if (isUnlimited) writeFileSync(join(update.pidsCgroup, 'pids.max'), 'max')
  const { execFile } = await import('node:child_process')
  // Not by stdin: node gives a socket pair, which the runtime cannot open as /dev/stdin.
  const file = join(bundle, 'resources.json')
  writeFileSync(file, JSON.stringify(resources), { mode: 0o600 })
  const args = [...command.args, '--root', ociRoot, 'update', '--resources', file, containerId]
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  execFile(command.path, args, { env: { PATH: runtimePath } }, (error, _stdout, stderr) => {
    if (error) reject(internal(`cannot update container ${containerId}: ${stderr.trim() || messageOf(error)}`, error))
    else resolve()
  })
  await promise
}
