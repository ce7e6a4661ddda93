import { codeOf, internal, isKind, messageOf } from '@berth/base'
import { isMountPoint, LinuxError, mountAsync, unmountAsync } from '@berth/linux'
import { lookup } from 'node:dns/promises'
import { getSystemErrorMessage } from 'node:util'
import type { VolumeDevice } from './driver-options.ts'
import { addressToResolve, type MountCall, planMount, withAddress, withoutPassword } from './plan-mount.ts'

/** Mounts a volume's device at `target`, unless that is done. Fails in Docker's words. */
export async function mountDevice(device: VolumeDevice, target: string): Promise<void> {
  if (isMountPoint(target)) return
  try {
    const calls = planMount(await resolved(device))
    for (const [index, call] of calls.entries()) await mountOne(call, target, index > 0)
  } catch (error) {
    const reason = isKind(error, 'internal') ? messageOf(error) : `failed to mount local volume: ${messageOf(error)}`
    throw internal(`error while mounting volume '${target}': ${reason}`, error)
  }
}

async function mountOne({ source, type, flags, data }: MountCall, target: string, isMounted: boolean): Promise<void> {
  try {
    await mountAsync({ source, target, type, flags, data })
  } catch (error) {
    if (isMounted) await unmountAsync(target, { detach: true })
    if (!(error instanceof LinuxError)) throw error
    const flagText = flags === 0 ? '' : `, flags: 0x${flags.toString(16)}`
    const dataText = data === '' ? '' : `, data: ${withoutPassword(data)}`
    throw new Error(`mount ${source}:${target}${flagText}${dataText}: ${reasonOf(error)}`, { cause: error })
  }
}

const reasonOf = ({ errno }: LinuxError): string => (errno > 0 ? getSystemErrorMessage(-errno) : `errno ${errno}`)

async function resolved(device: VolumeDevice): Promise<VolumeDevice> {
  const name = addressToResolve(device)
  if (name === undefined) return device
  try {
    return withAddress(device, (await lookup(name)).address)
  } catch (error) {
    throw internal(`error resolving passed in network volume address: ${messageOf(error)}`, error)
  }
}

/** Whether something is mounted there; false when nothing is there at all. */
export function isMounted(path: string): boolean {
  try {
    return isMountPoint(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}
