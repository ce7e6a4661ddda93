import { conflict, invalid } from '@berth/base'
import type { HostConfig, Resources } from '@berth/engine-api'
import type { RuntimeResources } from '@berth/oci'
import type { HostFacts } from '@berth/runtime'
import type { Container } from '../container.ts'
import type { UpdateRequest } from '../containers.ts'
import { planResources } from './plan-resources.ts'
import { validateRestartPolicy } from './restart-policy.ts'
import type { UpdatePlan } from './types.ts'
import { validateResources } from './validate-resources.ts'

/** What `docker update` can change; 0, '' and null leave a value as it is. */
const updatable = [
  'BlkioWeight',
  'CpuShares',
  'NanoCpus',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'CpusetCpus',
  'CpusetMems',
  'Memory',
  'MemorySwap',
  'MemoryReservation',
  'PidsLimit',
] as const satisfies readonly (keyof Resources)[]

/** Set at create for good. */
const fixed = [
  'BlkioWeightDevice',
  'BlkioDeviceReadBps',
  'BlkioDeviceWriteBps',
  'BlkioDeviceReadIOps',
  'BlkioDeviceWriteIOps',
  'CgroupParent',
  'Devices',
  'DeviceCgroupRules',
  'DeviceRequests',
  'MemorySwappiness',
  'OomKillDisable',
  'Ulimits',
] as const satisfies readonly (keyof Resources)[]

/** The outcome of an update request. Throws `invalid` or `conflict` in Docker's words. */
export function planUpdate(
  { id, hostConfig }: Pick<Container, 'id' | 'hostConfig'>,
  request: UpdateRequest,
  facts: HostFacts,
): UpdatePlan {
  requireFixed(hostConfig, request)
  const changes = changesOf(request)
  const { resources: valid, warnings } = validateResources({ ...noResources(hostConfig), ...changes }, facts, true)
  const accepted = pick(valid, Object.keys(changes) as Updatable[])
  const clash = clashOf(hostConfig, accepted) ?? restartClashOf(hostConfig, request)
  if (clash !== undefined) throw conflict(`Cannot update container ${id}: ${clash}`)
  const updated = { ...hostConfig, ...accepted, ...restartPolicyOf(request) }
  validateMemory(updated, accepted)
  const hasLimits = Object.keys(accepted).length > 0
  return { hostConfig: updated, resources: hasLimits ? liveLimits(updated, accepted) : undefined, warnings }
}

/** What a running container is to get; a limit of pids is lifted only where that was asked for. */
function liveLimits(updated: HostConfig, { PidsLimit }: Partial<Resources>): RuntimeResources {
  const lifted = PidsLimit !== undefined && PidsLimit !== null && PidsLimit <= 0
  return { ...planResources(onlyLimits(updated)), ...(lifted && { pids: { limit: -1 } }) }
}

type Updatable = (typeof updatable)[number]

function requireFixed(hostConfig: HostConfig, request: UpdateRequest): void {
  for (const name of fixed) {
    const value = request[name]
    if (value === undefined || value === false || isUnset(value)) continue
    if (JSON.stringify(value) !== JSON.stringify(hostConfig[name])) throw invalid(`${name} cannot be updated`)
  }
}

function changesOf(request: UpdateRequest): Partial<Resources> {
  const isGiven = (name: Updatable) =>
    request[name] !== undefined && (name === 'PidsLimit' ? request[name] !== null : !isUnset(request[name]))
  const changes = pick(request, updatable.filter(isGiven))
  return changes.PidsLimit === undefined ? changes : { ...changes, PidsLimit: Math.max(changes.PidsLimit ?? 0, 0) }
}

const isUnset = (value: unknown): boolean =>
  value === 0 || value === '' || value === null || (Array.isArray(value) && value.length === 0)

function pick<T extends object>(from: T, names: readonly (keyof T)[]): Partial<T> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Partial<T>
}

/** The container's resources with everything that an update can change unset: what a request alone says. */
function noResources(hostConfig: HostConfig): Resources {
  return {
    ...hostConfig,
    BlkioWeight: 0,
    CpuShares: 0,
    NanoCpus: 0,
    CpuPeriod: 0,
    CpuQuota: 0,
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    CpusetCpus: '',
    CpusetMems: '',
    Memory: 0,
    MemorySwap: 0,
    MemoryReservation: 0,
    MemorySwappiness: null,
    KernelMemory: undefined,
    KernelMemoryTCP: undefined,
    OomKillDisable: null,
    PidsLimit: null,
    CpuPercent: 0,
  }
}

/** Limits that contradict those of before; the request must name both. */
function clashOf(before: HostConfig, changes: Partial<Resources>): string | undefined {
  const { Memory, MemorySwap, NanoCpus, CpuPeriod, CpuQuota } = changes
  if (Memory !== undefined && MemorySwap === undefined && before.MemorySwap >= 0 && Memory > before.MemorySwap) {
    return 'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time'
  }
  const already = (what: string, other: string) =>
    `Conflicting options: ${what} cannot be updated as ${other} has already been set`
  if (NanoCpus !== undefined && before.CpuPeriod > 0) return already('Nano CPUs', 'CPU Period')
  if (NanoCpus !== undefined && before.CpuQuota > 0) return already('Nano CPUs', 'CPU Quota')
  if (CpuPeriod !== undefined && before.NanoCpus > 0) return already('CPU Period', 'NanoCPUs')
  if (CpuQuota !== undefined && before.NanoCpus > 0) return already('CPU Quota', 'NanoCPUs')
  return undefined
}

function restartClashOf(before: HostConfig, { RestartPolicy: policy }: UpdateRequest): string | undefined {
  const isRestarting = policy !== undefined && policy.Name !== '' && policy.Name !== 'no'
  if (!before.AutoRemove || !isRestarting) return undefined
  return 'Restart policy cannot be updated because AutoRemove is enabled for the container'
}

function restartPolicyOf({ RestartPolicy: policy }: UpdateRequest): Partial<Pick<HostConfig, 'RestartPolicy'>> {
  if (policy === undefined) return {}
  validateRestartPolicy(policy)
  return policy.Name === '' ? {} : { RestartPolicy: policy }
}

function validateMemory({ Memory, MemorySwap, MemoryReservation }: Resources, changes: Partial<Resources>): void {
  if (changes.MemorySwap !== undefined && MemorySwap > 0 && Memory > MemorySwap) {
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage')
  }
  if (Memory > 0 && MemoryReservation > Memory) {
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage')
  }
}

/** Per-device limits and swappiness are set at create only; their devices need not be looked up again. */
function onlyLimits(hostConfig: HostConfig): Resources {
  return {
    ...hostConfig,
    BlkioWeightDevice: null,
    BlkioDeviceReadBps: null,
    BlkioDeviceWriteBps: null,
    BlkioDeviceReadIOps: null,
    BlkioDeviceWriteIOps: null,
    MemorySwappiness: null,
    OomKillDisable: null,
  }
}
