type SystemCall = 'pivot_root' | 'sched_setattr'

/** <asm/unistd_64.h> of x86-64, and <asm-generic/unistd.h>, which arm64 has. */
const numbers = new Map<NodeJS.Architecture, Readonly<Record<SystemCall, number>>>([
  ['x64', { pivot_root: 155, sched_setattr: 314 }],
  ['arm64', { pivot_root: 41, sched_setattr: 274 }],
])

/**
 * The number of a call that differs from machine to machine, and that not every libc has a function for; undefined on a
 * machine that is not supported: the number of another machine would be another call.
 */
export const systemCallNumber = (call: SystemCall, machine = process.arch): number | undefined =>
  numbers.get(machine)?.[call]
