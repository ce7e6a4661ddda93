import { invalid } from '@berth/base'
import type { HostConfig } from '@berth/engine-api'
import { normalizeCapability } from '@berth/runtime'
import { isIP } from 'node:net'
import { joinedContainer, validateNamespaceModes } from './namespace-modes.ts'
import { parseDeviceRule } from './plan-resources.ts'
import { validatePortBindings } from './ports.ts'
import { validateAutoRemove, validateRestartPolicy } from './restart-policy.ts'
import type { PlanContext } from './types.ts'
import { validateSysctls } from './validate-sysctls.ts'

/** Checks everything of a host configuration but limits, mounts and log. Throws `invalid` in Docker's words. */
export function validateHostConfig(hostConfig: HostConfig, context: PlanContext): void {
  validateAutoRemove(hostConfig)
  validatePortBindings(hostConfig.PortBindings)
  validateRestartPolicy(hostConfig.RestartPolicy)
  for (const entry of hostConfig.ExtraHosts ?? []) validateExtraHost(entry)
  if (Object.hasOwn(hostConfig.Annotations ?? {}, '')) {
    throw invalid('invalid Annotations: the empty string is not permitted as an annotation key')
  }
  validateCapabilities(hostConfig, context.facts.capabilities)
  validateDevices(hostConfig)
  validateNamespaceModes(hostConfig)
  validateNumbers(hostConfig)
  validateSysctls(hostConfig)
  validatePaths(hostConfig)
  validateUnsupported(hostConfig)
  validateCgroupParent(hostConfig.CgroupParent, context.defaults.cgroupDriver)
  if (hostConfig.Runtime !== '' && !context.defaults.runtimes.includes(hostConfig.Runtime)) {
    throw invalid(`unknown or invalid runtime name: ${hostConfig.Runtime}`)
  }
}

/** `name:address` or `name=address`; the address may be in brackets or `host-gateway`. */
function validateExtraHost(entry: string): void {
  const [, name, address] = /^([^:=]+)[:=](.+)$/.exec(entry) ?? []
  if (!name || !address) throw invalid(`bad format for add-host: ${JSON.stringify(entry)}`)
  const bare = address.replace(/^\[(.*)\]$/, '$1')
  if (bare !== 'host-gateway' && isIP(bare) === 0) {
    throw invalid(`invalid IP address in add-host: ${JSON.stringify(address)}`)
  }
}

function validateCapabilities({ CapAdd, CapDrop }: HostConfig, known: readonly string[]): void {
  for (const [option, names] of [
    ['CapAdd', CapAdd],
    ['CapDrop', CapDrop],
  ] as const) {
    for (const name of (names ?? []).map(normalizeCapability)) {
      if (name !== 'ALL' && !known.includes(name)) {
        throw invalid(`invalid ${option}: unknown capability: ${JSON.stringify(name)}`)
      }
    }
  }
}

function validateDevices({ Devices, DeviceCgroupRules }: HostConfig): void {
  for (const { PathOnHost, PathInContainer, CgroupPermissions } of Devices ?? []) {
    if (!PathOnHost.startsWith('/')) throw invalid(`invalid device path: ${JSON.stringify(PathOnHost)}`)
    if (PathInContainer !== '' && !PathInContainer.startsWith('/')) {
      throw invalid(`invalid device path in the container: ${JSON.stringify(PathInContainer)}`)
    }
    if (!/^[rwm]{0,3}$/.test(CgroupPermissions)) {
      throw invalid(`invalid permissions of device ${PathOnHost}: ${JSON.stringify(CgroupPermissions)}`)
    }
  }
  for (const rule of DeviceCgroupRules ?? []) parseDeviceRule(rule)
}

function validateNumbers({ ShmSize, OomScoreAdj }: HostConfig): void {
  if (ShmSize < 0) throw invalid('SHM size can not be less than 0')
  if (OomScoreAdj < -1000 || OomScoreAdj > 1000) {
    throw invalid(`Invalid value ${OomScoreAdj}, range for oom score adj is [-1000, 1000]`)
  }
}

function validatePaths({ MaskedPaths, ReadonlyPaths }: HostConfig): void {
  for (const path of [...(MaskedPaths ?? []), ...(ReadonlyPaths ?? [])]) {
    if (!path.startsWith('/')) throw invalid(`invalid masked or read-only path: '${path}' must be absolute`)
  }
}

/** What this engine cannot do is said, not dropped. */
function validateUnsupported({ Isolation, StorageOpt, Cgroup, VolumesFrom }: HostConfig): void {
  if (Isolation !== '' && Isolation !== 'default') {
    throw invalid(`invalid isolation (${Isolation}): linux only supports 'default'`)
  }
  if (Object.keys(StorageOpt ?? {}).length > 0) {
    throw invalid("--storage-opt is supported only for overlay over xfs with 'pquota' mount option")
  }
  if (Cgroup !== '' && joinedContainer(Cgroup) !== undefined) throw invalid(`invalid cgroup mode: ${Cgroup}`)
  if ((VolumesFrom ?? []).some((source) => source === '')) {
    throw invalid('volumes-from specification cannot be an empty string')
  }
}

function validateCgroupParent(parent: string, driver: 'cgroupfs' | 'systemd'): void {
  if (parent === '') return
  if (driver === 'systemd' && !/^.+\.slice$/.test(parent)) {
    throw invalid('cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"')
  }
  if (parent.split('/').includes('..')) throw invalid(`invalid cgroup parent: ${parent}`)
}
