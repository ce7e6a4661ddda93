/** One instruction of classic BPF (struct sock_filter, linux/filter.h). */
export interface Instruction {
  readonly code: number
  /** How many instructions a jump skips when its condition holds, and when not. */
  readonly jt: number
  readonly jf: number
  readonly k: number
}

/** The instructions that seccomp filters are made of (linux/bpf_common.h). */
export const codes = {
  load: 0x20,
  and: 0x54,
  jump: 0x05,
  jumpIfEqual: 0x15,
  jumpIfGreater: 0x25,
  jumpIfGreaterOrEqual: 0x35,
  jumpIfSet: 0x45,
  return: 0x06,
} as const

/** Where a filter finds what it judges (struct seccomp_data): the rest are the instruction pointer and six arguments. */
export const offsets = { number: 0, architecture: 4 } as const

const instructionBytes = 8

/** Undefined when the bytes are no whole instructions of this machine's byte order (little-endian). */
export function decodeProgram(bytes: Buffer): Instruction[] | undefined {
  if (bytes.length === 0 || bytes.length % instructionBytes !== 0) return undefined
  return Array.from({ length: bytes.length / instructionBytes }, (_, index) => {
    const at = index * instructionBytes
    return {
      code: bytes.readUInt16LE(at),
      jt: bytes.readUInt8(at + 2),
      jf: bytes.readUInt8(at + 3),
      k: bytes.readUInt32LE(at + 4),
    }
  })
}

export function encodeProgram(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * instructionBytes)
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    const at = index * instructionBytes
    bytes.writeUInt16LE(code, at)
    bytes.writeUInt8(jt, at + 2)
    bytes.writeUInt8(jf, at + 3)
    bytes.writeUInt32LE(k, at + 4)
  }
  return bytes
}

/** Whether a jump with a condition is taken, for what was loaded. */
export function holds({ code, k }: Instruction, accumulator: number): boolean {
  if (code === codes.jumpIfEqual) return accumulator === k
  if (code === codes.jumpIfGreater) return accumulator > k
  if (code === codes.jumpIfGreaterOrEqual) return accumulator >= k
  return (accumulator & k) >>> 0 !== 0
}

export const isConditional = ({ code }: Instruction): boolean =>
  code === codes.jumpIfEqual ||
  code === codes.jumpIfGreater ||
  code === codes.jumpIfGreaterOrEqual ||
  code === codes.jumpIfSet

/** Where execution goes on after the instruction at `at`. */
export function successors(instruction: Instruction, at: number): number[] {
  if (instruction.code === codes.return) return []
  if (instruction.code === codes.jump) return [at + 1 + instruction.k]
  return isConditional(instruction) ? [at + 1 + instruction.jt, at + 1 + instruction.jf] : [at + 1]
}
