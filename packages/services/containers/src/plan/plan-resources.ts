import { invalid } from '@berth/base'
import type { Resources, ThrottleDevice } from '@berth/engine-api'
import type { RuntimeResources, ThrottleRate } from '@berth/oci'
import type { DeviceNumber, DeviceRule } from '@berth/runtime'

/** Numbers of the block devices that the limits name, by path (`readDeviceNumbers`). */
export type DeviceNumbers = Readonly<Record<string, DeviceNumber>>

const periodUs = 100_000

/** The paths whose numbers `planResources` wants. */
export function blockDevicePaths(resources: Resources): string[] {
  const { BlkioWeightDevice, BlkioDeviceReadBps, BlkioDeviceWriteBps, BlkioDeviceReadIOps, BlkioDeviceWriteIOps } =
    resources
  return [
    BlkioWeightDevice,
    BlkioDeviceReadBps,
    BlkioDeviceWriteBps,
    BlkioDeviceReadIOps,
    BlkioDeviceWriteIOps,
  ].flatMap((list) => (list ?? []).map(({ Path }) => Path))
}

/** Limits as the OCI runtime takes them, in cgroup v1 terms: it converts them for v2. Only what was asked for. */
export function planResources(resources: Resources, numbers: DeviceNumbers = {}): RuntimeResources {
  const memory = planMemory(resources)
  const cpu = planCpu(resources)
  const blockIO = planBlockIo(resources, numbers)
  const { PidsLimit } = resources
  return {
    ...(hasKeys(memory) && { memory }),
    ...(hasKeys(cpu) && { cpu }),
    ...(PidsLimit !== null && PidsLimit > 0 && { pids: { limit: PidsLimit } }),
    ...(hasKeys(blockIO) && { blockIO }),
  }
}

function planMemory(resources: Resources): NonNullable<RuntimeResources['memory']> {
  const { Memory, MemoryReservation, MemorySwap, MemorySwappiness, OomKillDisable } = resources
  return {
    ...(Memory > 0 && { limit: Memory }),
    ...(MemoryReservation > 0 && { reservation: MemoryReservation }),
    // Below 0: no limit, which must be said beside a memory limit, else the runtime may derive one.
    ...(MemorySwap !== 0 && { swap: MemorySwap < 0 ? -1 : MemorySwap }),
    ...(MemorySwappiness !== null && { swappiness: MemorySwappiness }),
    ...(OomKillDisable && { disableOOMKiller: true }),
  }
}

function planCpu(resources: Resources): NonNullable<RuntimeResources['cpu']> {
  const { CpuShares, NanoCpus, CpuPeriod, CpuQuota, CpusetCpus, CpusetMems } = resources
  const { CpuRealtimePeriod, CpuRealtimeRuntime } = resources
  return {
    ...(CpuShares > 0 && { shares: clampShares(CpuShares) }),
    ...(NanoCpus > 0 && { period: periodUs, quota: Math.floor((NanoCpus * periodUs) / 1e9) }),
    ...(CpuPeriod !== 0 && { period: CpuPeriod }),
    ...(CpuQuota !== 0 && { quota: CpuQuota }),
    ...(CpuRealtimePeriod !== 0 && { realtimePeriod: CpuRealtimePeriod }),
    ...(CpuRealtimeRuntime !== 0 && { realtimeRuntime: CpuRealtimeRuntime }),
    ...(CpusetCpus !== '' && { cpus: CpusetCpus }),
    ...(CpusetMems !== '' && { mems: CpusetMems }),
  }
}

/** The kernel's own bounds (kernel/sched/sched.h): beyond them it would take the nearest. */
const clampShares = (shares: number): number => Math.min(Math.max(shares, 2), 262_144)

function planBlockIo(resources: Resources, numbers: DeviceNumbers): NonNullable<RuntimeResources['blockIO']> {
  const rates = (name: string, list: readonly ThrottleDevice[] | null) =>
    list === null || list.length === 0 ? {} : { [name]: list.map((device) => throttle(device, numbers)) }
  const weights = (resources.BlkioWeightDevice ?? []).map(({ Path, Weight }) => ({
    ...numberOf(Path, numbers),
    weight: Weight,
  }))
  return {
    ...(resources.BlkioWeight > 0 && { weight: resources.BlkioWeight }),
    ...(weights.length > 0 && { weightDevice: weights }),
    ...rates('throttleReadBpsDevice', resources.BlkioDeviceReadBps),
    ...rates('throttleWriteBpsDevice', resources.BlkioDeviceWriteBps),
    ...rates('throttleReadIOPSDevice', resources.BlkioDeviceReadIOps),
    ...rates('throttleWriteIOPSDevice', resources.BlkioDeviceWriteIOps),
  }
}

const throttle = ({ Path, Rate }: ThrottleDevice, numbers: DeviceNumbers): ThrottleRate => ({
  ...numberOf(Path, numbers),
  rate: Rate,
})

function numberOf(path: string, numbers: DeviceNumbers): DeviceNumber {
  const number = numbers[path]
  if (number === undefined) throw invalid(`stat ${path}: no such file or directory`)
  return number
}

const hasKeys = (value: object): boolean => Object.keys(value).length > 0

const rulePattern = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/

/** `c 42:* rmw` (Documentation/admin-guide/cgroup-v1/devices.rst). Throws `invalid` in Docker's words. */
export function parseDeviceRule(text: string): DeviceRule {
  const match = rulePattern.exec(text)
  if (!match) throw invalid(`invalid device cgroup rule format: '${text}'`)
  const [, type, major, minor, access = ''] = match
  return { type: type as DeviceRule['type'], major: ruleNumber(major), minor: ruleNumber(minor), access }
}

const ruleNumber = (part: string | undefined): number => (part === '*' ? -1 : Number(part))
