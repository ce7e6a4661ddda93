import { constants, getPriority } from 'node:os'
import { declareFunctions } from '../libc.ts'
import { systemCallNumber } from '../system-calls.ts'

const c = declareFunctions<{
  setAttributes(number: number, pid: number, attributes: Uint8Array, flags: number): number
}>({ setAttributes: 'long syscall(long number, int pid, void *attributes, uint flags)' })

const SCHED_OTHER = 0
const SCHED_FLAG_RESET_ON_FORK = 1
/** The least that the kernel gives (6.12 and later; earlier ones take no notice): who is to have so little waits for no other's turn to end. */
const sliceNs = 100_000n

/**
 * Lets `pid` run as soon as it can, and none of its children: they begin as any process does (sched(7), reset-on-fork).
 * False where that is not to be had: the process has ended, this one may not, or has a priority that children inherit.
 */
export function hastenWithoutChildren(pid: number): boolean {
  const { PRIORITY_HIGHEST, PRIORITY_NORMAL } = constants.priority
  const call = systemCallNumber('sched_setattr')
  if (call === undefined || getPriority() !== PRIORITY_NORMAL) return false
  return c.setAttributes(call, pid, attributes(PRIORITY_HIGHEST), 0) === 0
}

/** struct sched_attr of <linux/sched/types.h>, its first version. */
function attributes(nice: number): Buffer {
  const bytes = Buffer.alloc(48)
  bytes.writeUInt32LE(bytes.length, 0)
  bytes.writeUInt32LE(SCHED_OTHER, 4)
  bytes.writeBigUInt64LE(BigInt(SCHED_FLAG_RESET_ON_FORK), 8)
  bytes.writeInt32LE(nice, 16)
  bytes.writeBigUInt64LE(sliceNs, 24)
  return bytes
}
