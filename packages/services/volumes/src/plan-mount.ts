import {
  MS_BIND,
  MS_DIRSYNC,
  MS_MANDLOCK,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_RELATIME,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
  MS_UNBINDABLE,
} from '@berth/linux'
import type { VolumeDevice } from './driver-options.ts'

/** One mount(2) call. */
export interface MountCall {
  readonly source: string
  readonly type: string
  readonly flags: number
  readonly data: string
}

/** Words of mount(8) that are flags of mount(2): what they set, and what they clear. */
const flags: Readonly<Record<string, readonly [set: number, clear: number]>> = {
  defaults: [0, 0],
  ro: [MS_RDONLY, 0],
  rw: [0, MS_RDONLY],
  nosuid: [MS_NOSUID, 0],
  suid: [0, MS_NOSUID],
  nodev: [MS_NODEV, 0],
  dev: [0, MS_NODEV],
  noexec: [MS_NOEXEC, 0],
  exec: [0, MS_NOEXEC],
  sync: [MS_SYNCHRONOUS, 0],
  async: [0, MS_SYNCHRONOUS],
  dirsync: [MS_DIRSYNC, 0],
  mand: [MS_MANDLOCK, 0],
  nomand: [0, MS_MANDLOCK],
  noatime: [MS_NOATIME, 0],
  atime: [0, MS_NOATIME],
  nodiratime: [MS_NODIRATIME, 0],
  diratime: [0, MS_NODIRATIME],
  relatime: [MS_RELATIME, 0],
  norelatime: [0, MS_RELATIME],
  strictatime: [MS_STRICTATIME, 0],
  nostrictatime: [0, MS_STRICTATIME],
  bind: [MS_BIND, 0],
  rbind: [MS_BIND | MS_REC, 0],
}

const propagations: Readonly<Record<string, number>> = {
  private: MS_PRIVATE,
  rprivate: MS_PRIVATE | MS_REC,
  shared: MS_SHARED,
  rshared: MS_SHARED | MS_REC,
  slave: MS_SLAVE,
  rslave: MS_SLAVE | MS_REC,
  unbindable: MS_UNBINDABLE,
  runbindable: MS_UNBINDABLE | MS_REC,
}

/** The calls that mount a volume's device, in order: a bind takes its other flags, and any mount its propagation, after it. */
export function planMount({ device, type, options }: VolumeDevice): MountCall[] {
  const words = options.split(',').filter(Boolean)
  const data = words.filter((word) => !Object.hasOwn(flags, word) && !Object.hasOwn(propagations, word)).join(',')
  const set = flagsOf(words)
  const mount = { source: device, type, flags: set, data }
  const further = set & ~(MS_BIND | MS_REC)
  const remount = { ...mount, flags: set | MS_REMOUNT }
  const spread = words.filter((word) => Object.hasOwn(propagations, word)).map((word) => propagations[word] ?? 0)
  return [
    mount,
    ...((set & MS_BIND) !== 0 && further !== 0 ? [remount] : []),
    ...spread.map((flag) => ({ source: '', type: '', flags: flag, data: '' })),
  ]
}

function flagsOf(words: readonly string[]): number {
  let result = 0
  for (const word of words) {
    const [set, clear] = Object.hasOwn(flags, word) ? (flags[word] ?? [0, 0]) : [0, 0]
    result = (result & ~clear) | set
  }
  return result
}

/** `addr=` of NFS and CIFS, which the kernel takes as a number only; undefined when there is none or it is one. */
export function addressToResolve({ type, options }: VolumeDevice): string | undefined {
  if (type !== 'nfs' && type !== 'nfs4' && type !== 'cifs') return undefined
  const address = options
    .split(',')
    .find((word) => word.startsWith('addr='))
    ?.slice('addr='.length)
  return address === undefined || /^[\d.]+$/.test(address) || address.includes(':') ? undefined : address
}

/** The device with `address` in the place of its name. */
export function withAddress(device: VolumeDevice, address: string): VolumeDevice {
  const words = device.options.split(',').map((word) => (word.startsWith('addr=') ? `addr=${address}` : word))
  return { ...device, options: words.join(',') }
}

/** For messages: never a secret. */
export const withoutPassword = (data: string): string => data.replace(/\b(pass(?:word)?)=[^,]*/g, '$1=********')
