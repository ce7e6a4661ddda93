import { conflict, invalid } from '@berth/base'
import type { HostConfig, Resources } from '@berth/engine-api'
import type { HostFacts } from '@berth/runtime'
import type { Container } from '../container.ts'
import type { UpdateRequest } from '../containers.ts'
import { planResources } from './plan-resources.ts'
import { validateAutoRemove, validateRestartPolicy } from './restart-policy.ts'
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

/** The outcome of an update request. Throws `invalid` or `conflict` in Docker's words. */
export function planUpdate(
  { id, hostConfig }: Pick<Container, 'id' | 'hostConfig'>,
  request: UpdateRequest,
  facts: HostFacts,
): UpdatePlan {
  const changes = changesOf(request)
  const { resources: valid, warnings } = validateResources({ ...noResources(hostConfig), ...changes }, facts, true)
  const accepted = pick(valid, Object.keys(changes) as Updatable[])
  const merged = { ...hostConfig, ...mergeMemory(hostConfig, accepted) }
  const updated = { ...merged, ...mergeCpu(hostConfig, accepted), ...restartPolicyOf(id, hostConfig, request) }
  const hasLimits = Object.keys(accepted).length > 0
  return { hostConfig: updated, resources: hasLimits ? planResources(onlyLimits(updated)) : undefined, warnings }
}

type Updatable = (typeof updatable)[number]

function changesOf(request: UpdateRequest): Partial<Resources> {
  const isGiven = (name: Updatable) => request[name] !== undefined && !isUnset(request[name])
  return pick(request, updatable.filter(isGiven))
}

const isUnset = (value: unknown): boolean => value === 0 || value === '' || value === null

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
    OomKillDisable: hostConfig.OomKillDisable && null,
    PidsLimit: null,
    CpuPercent: 0,
  }
}

/** A limit above the swap limit of before cannot be set; a soft limit must stay below. */
function mergeMemory(before: HostConfig, changes: Partial<Resources>): Partial<Resources> {
  const { Memory, MemorySwap, MemoryReservation } = { ...before, ...changes }
  if (changes.Memory !== undefined && changes.MemorySwap === undefined && MemorySwap > 0 && Memory > MemorySwap) {
    throw invalid(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    )
  }
  if (changes.MemorySwap !== undefined && MemorySwap > 0 && Memory > MemorySwap) {
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage')
  }
  if (Memory > 0 && MemoryReservation > Memory) {
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage')
  }
  return changes
}

/** CPUs and quota are two ways to say the same: the one not given must not be set. */
function mergeCpu(before: HostConfig, changes: Partial<Resources>): Partial<Resources> {
  const hasNano = changes.NanoCpus !== undefined
  const hasCfs = changes.CpuPeriod !== undefined || changes.CpuQuota !== undefined
  if (hasNano && before.CpuPeriod > 0) {
    throw invalid('Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set')
  }
  if (hasNano && before.CpuQuota > 0) {
    throw invalid('Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set')
  }
  if (hasCfs && before.NanoCpus > 0) {
    const what = changes.CpuPeriod === undefined ? 'CPU Quota' : 'CPU Period'
    throw invalid(`Conflicting options: ${what} cannot be updated as NanoCPUs has already been set`)
  }
  return {}
}

function restartPolicyOf(
  id: string,
  before: HostConfig,
  { RestartPolicy: policy }: UpdateRequest,
): Partial<Pick<HostConfig, 'RestartPolicy'>> {
  if (policy === undefined || policy.Name === '') return {}
  validateRestartPolicy(policy)
  if (before.AutoRemove && policy.Name !== 'no') {
    throw conflict(`Restart policy cannot be updated because AutoRemove is enabled for the container ${id}`)
  }
  validateAutoRemove({ AutoRemove: before.AutoRemove, RestartPolicy: policy })
  return { RestartPolicy: policy }
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
