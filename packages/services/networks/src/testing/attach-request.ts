import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { newContainerId } from '@berth/base'
import type { AttachRequest } from '../networks.ts'

/** What a container of its own asks of the networks, with a directory of its own in `root` for its files. */
export function buildAttachRequest(root: string, wanted: Partial<AttachRequest> = {}): AttachRequest {
  const containerId = newContainerId()
  const filesDirectory = join(root, containerId)
  mkdirSync(filesDirectory)
  return {
    containerId,
    name: `c-${containerId.slice(0, 6)}`,
    hostname: containerId.slice(0, 12),
    domainname: '',
    mode: 'bridge',
    endpoints: {},
    dns: ['192.0.2.1'],
    dnsOptions: [],
    dnsSearch: [],
    extraHosts: [],
    portBindings: {},
    sysctls: {},
    filesDirectory,
    ...wanted,
  }
}
