import { splitCsv } from '@berth/base'
import type { DeviceMapping, DeviceRequest, ThrottleDevice, WeightDevice } from '@berth/engine-api'
import { parseSize } from '../flags/values.ts'
import { splitPair, toRecord } from './key-values.ts'

const modes = /^(?!.*(.).*\1)[rwm]{1,3}$/

/** `/dev/a[:/dev/b][:rwm]`. */
export function parseDevice(text: string): DeviceMapping {
  const [source = '', second, third, ...more] = text.split(':')
  if (source === '' || more.length > 0) throw new Error(`bad format for path: ${text}`)
  const secondIsMode = second !== undefined && third === undefined && modes.test(second)
  const target = second === undefined || secondIsMode ? source : second
  const permissions = secondIsMode ? second : (third ?? 'rwm')
  if (!target.startsWith('/') && !isCdiName(text)) throw new Error(`bad format for path: ${text}`)
  if (!modes.test(permissions)) throw new Error(`bad mode specified: ${permissions}`)
  return { PathOnHost: source, PathInContainer: target, CgroupPermissions: permissions }
}

/** `vendor.com/class=device` of the container device interface. */
export function isCdiName(text: string): boolean {
  return /^[a-zA-Z][\w.-]*\/[a-zA-Z][\w.-]*=[\w.:-]+$/.test(text)
}

export function checkDeviceRule(text: string): string {
  if (!/^[acb] (\d+|\*):(\d+|\*) [rwm]{1,3}$/.test(text)) throw new Error(`invalid device cgroup format '${text}'`)
  return text
}

export function parseWeight(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
  if (Number(text) > 65535) throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`)
  return Number(text)
}

function splitDevice(text: string): [path: string, value: string] {
  const [path = '', value] = text.split(/:(.*)/s)
  if (value === undefined || path === '') throw new Error(`bad format: ${text}`)
  if (!path.startsWith('/dev/')) throw new Error(`bad format for device path: ${text}`)
  return [path, value]
}

export function parseWeightDevice(text: string): WeightDevice {
  const [Path, weight] = splitDevice(text)
  const Weight = Number(weight)
  if (!/^\d+$/.test(weight) || (Weight > 0 && (Weight < 10 || Weight > 1000))) {
    throw new Error(`invalid weight for device: ${text}`)
  }
  return { Path, Weight }
}

/** `/dev/sda:1mb`: bytes a second. */
export function parseByteRate(text: string): ThrottleDevice {
  const [Path, rate] = splitDevice(text)
  try {
    return { Path, Rate: parseSize(rate) }
  } catch {
    const unit = 'Number must be a positive integer. Unit is optional and can be kb, mb, or gb'
    throw new Error(`invalid rate for device: ${text}. The correct format is <device-path>:<number>[<unit>]. ${unit}`)
  }
}

/** `/dev/sda:1000`: operations a second. */
export function parseOperationRate(text: string): ThrottleDevice {
  const [Path, rate] = splitDevice(text)
  if (!/^\d+$/.test(rate)) {
    const format = 'The correct format is <device-path>:<number>. Number must be a positive integer'
    throw new Error(`invalid rate for device: ${text}. ${format}`)
  }
  return { Path, Rate: Number(rate) }
}

/** `all`, a count, or `device=0,1,driver=nvidia,capabilities=gpu`. */
export function parseGpus(text: string): DeviceRequest {
  let [driver, count, devices]: [string, number | undefined, string[] | undefined] = ['', undefined, undefined]
  const capabilities: string[] = []
  let options: Record<string, string> = {}
  const seen = new Set<string>()
  if (text === '') throw new Error('EOF')
  for (const field of splitCsv(text)) {
    const [key, value] = splitPair(field)
    if (seen.has(key)) throw new Error(`gpu request key '${key}' can be specified only once`)
    seen.add(key)
    if (!field.includes('=')) count = parseGpuCount(field)
    else if (key === 'driver') driver = value
    else if (key === 'count') count = parseGpuCount(value)
    else if (key === 'device') devices = value.split(',')
    else if (key === 'capabilities') capabilities.push(...value.split(','))
    else if (key === 'options') options = toRecord(value.split(','))
    else throw new Error(`unexpected key '${key}' in '${field}'`)
  }
  const Count = count ?? (devices === undefined ? 1 : 0)
  return {
    Driver: driver,
    Count,
    DeviceIDs: devices ?? null,
    Capabilities: [[...new Set([...capabilities, 'gpu'])]],
    Options: options,
  }
}

function parseGpuCount(text: string): number {
  if (text === 'all') return -1
  if (!/^-?\d+$/.test(text))
    throw new Error(`invalid count (${text}): value must be either "all" or an integer: invalid syntax`)
  return Number(text)
}
