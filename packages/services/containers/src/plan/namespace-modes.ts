import { invalid } from '@berth/base'
import type { HostConfig } from '@berth/engine-api'

const containerPrefix = 'container:'

/** The container that a mode `container:<name|id>` names; undefined for other modes. */
export function joinedContainer(mode: string): string | undefined {
  return mode.startsWith(containerPrefix) ? mode.slice(containerPrefix.length) : undefined
}

/** True for a mode that names a network of users': there links are names of the DNS, also of those who come later. */
export const isUserNetwork = (mode: string): boolean =>
  !['', 'default', 'bridge', 'host', 'none'].includes(mode) && joinedContainer(mode) === undefined

/** Throws `invalid` for a mode that is none. */
export function validateNamespaceModes(hostConfig: HostConfig): void {
  const { IpcMode, PidMode, UTSMode, CgroupnsMode, UsernsMode } = hostConfig
  if (joinedContainer(IpcMode) === '') throw invalid('failed to join IPC namespace: invalid name or ID supplied: ""')
  if (!isJoin(IpcMode) && !['', 'none', 'private', 'shareable', 'host'].includes(IpcMode)) {
    throw invalid(`invalid IPC mode: ${IpcMode}`)
  }
  if (!isJoin(PidMode) && PidMode !== '' && PidMode !== 'host') throw invalid(`invalid PID mode: ${PidMode}`)
  if (UTSMode !== '' && UTSMode !== 'host') throw invalid(`invalid UTS mode: ${UTSMode}`)
  if (!['', 'host', 'private'].includes(CgroupnsMode)) throw invalid(`invalid cgroup namespace mode: ${CgroupnsMode}`)
  // No user namespace is made: `private` would ask for one.
  if (UsernsMode !== '' && UsernsMode !== 'host') throw invalid(`invalid user namespace mode: ${UsernsMode}`)
}

const isJoin = (mode: string): boolean => Boolean(joinedContainer(mode))

/** Options that a shared network namespace leaves without meaning. Throws `invalid` in Docker's words. */
export function validateNetworkMode(hostConfig: HostConfig, hostname: string, hasExposedPorts: boolean): void {
  const { NetworkMode: mode, UTSMode, Links } = hostConfig
  if (UTSMode === 'host' && hostname !== '') throw conflicting('hostname and the UTS mode')
  if (mode === 'host' && hasItems(Links)) {
    throw conflicting("host type networking can't be used with links. This would result in undefined behavior")
  }
  const joined = joinedContainer(mode)
  if (joined === undefined) return
  if (joined === '') throw invalid('invalid network mode: invalid container format container:<name|id>')
  validateJoinedNetwork(hostConfig, hostname, hasExposedPorts)
}

function validateJoinedNetwork(hostConfig: HostConfig, hostname: string, hasExposedPorts: boolean): void {
  const { Links, Dns, ExtraHosts, PortBindings, PublishAllPorts } = hostConfig
  if (hostname !== '') throw conflicting('hostname and the network mode')
  if (hasItems(Links)) {
    throw conflicting("container type network can't be used with links. This would result in undefined behavior")
  }
  if (hasItems(Dns)) throw conflicting('dns and the network mode')
  if (hasItems(ExtraHosts)) throw conflicting('custom host-to-IP mapping and the network mode')
  if (Object.keys(PortBindings ?? {}).length > 0 || PublishAllPorts) {
    throw conflicting('port publishing and the container type network mode')
  }
  if (hasExposedPorts) throw conflicting('port exposing and the container type network mode')
}

const hasItems = (list: readonly string[] | null): boolean => (list?.length ?? 0) > 0
const conflicting = (what: string) => invalid(`conflicting options: ${what}`)
