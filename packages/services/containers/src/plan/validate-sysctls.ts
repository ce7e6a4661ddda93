import { invalid } from '@berth/base'
import type { HostConfig } from '@berth/engine-api'

const ipcSysctls = new Set(
  'kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni kernel.shm_rmid_forced'.split(
    ' ',
  ),
)

/** Only sysctls of a namespace of the container's own may be set: others are the host's. Throws `invalid`. */
export function validateSysctls(hostConfig: HostConfig): void {
  for (const [name, value] of Object.entries(hostConfig.Sysctls ?? {})) {
    validateSysctl(name.replaceAll('/', '.'), hostConfig)
    if (value.includes('\0') || !/^[\w./-]+$/.test(name)) throw invalid(`invalid sysctl: ${JSON.stringify(name)}`)
  }
}

function validateSysctl(name: string, { NetworkMode, IpcMode, UTSMode }: HostConfig): void {
  const shown = JSON.stringify(name)
  if (ipcSysctls.has(name) || name.startsWith('fs.mqueue.')) {
    if (IpcMode === 'host') throw invalid(`sysctl ${shown} is not allowed in the hosts ipc namespace`)
    return
  }
  if (name.startsWith('net.')) {
    if (NetworkMode === 'host') throw invalid(`sysctl ${shown} not allowed in host network namespace`)
    if (/^net\.[^.]+\.[^.]+\.eth\d+(?:\.|$)/.test(name)) {
      throw invalid(
        `interface specific sysctl setting ${shown} must be supplied using driver option 'com.docker.network.endpoint.sysctls'`,
      )
    }
    return
  }
  if (name === 'kernel.domainname') {
    if (UTSMode === 'host') throw invalid(`sysctl ${shown} is not allowed in the hosts UTS namespace`)
    return
  }
  if (name === 'kernel.hostname') throw invalid(`sysctl ${shown} conflicts with OCI field "hostname"`)
  throw invalid(`sysctl ${shown} is not in a separate kernel namespace`)
}
