import type { ContainerId } from '@berth/base'
import { internal, messageOf } from '@berth/base'
import type { RuntimeResources } from '@berth/oci'
import type { RuntimeCommand } from '../protocol/messages.ts'

export interface ResourceUpdate {
  readonly command: RuntimeCommand
  readonly ociRoot: string
  readonly containerId: ContainerId
  readonly resources: RuntimeResources
}

/** Sets limits of a running container by the OCI runtime; what is absent stays. Rejects with `internal` in its words. */
export async function updateResources({ command, ociRoot, containerId, resources }: ResourceUpdate): Promise<void> {
  const { execFile } = await import('node:child_process')
  const args = [...command.args, '--root', ociRoot, 'update', '--resources', '-', containerId]
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const child = execFile(command.path, args, (error, _stdout, stderr) => {
    if (error) reject(internal(`cannot update container ${containerId}: ${stderr.trim() || messageOf(error)}`, error))
    else resolve()
  })
  // It may end before it has read; how it ended says why.
  child.stdin?.on('error', () => {})
  child.stdin?.end(JSON.stringify(resources))
  await promise
}
