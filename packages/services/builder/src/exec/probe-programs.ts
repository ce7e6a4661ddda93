import type { Platform } from '@berth/oci'

/** Machines of ELF(5), and a program for each that does nothing but `exit(0)`. */
interface Machine {
  readonly platform: Platform
  /** e_machine: https://www.sco.com/developers/gabi/latest/ch4.eheader.html */
  readonly number: number
  readonly bits: 32 | 64
  readonly isBigEndian?: boolean
  /** e_flags: the ABI, where a machine has several. */
  readonly flags?: number
  /** In the order of its bytes. */
  readonly code: string
}

const linux = (architecture: string, variant?: string): Platform => ({
  os: 'linux',
  architecture,
  ...(variant !== undefined && { variant }),
})

const machines: readonly Machine[] = [
  // xor edi, edi; mov eax, 60; syscall
  { platform: linux('amd64'), number: 62, bits: 64, code: '31ffb83c0000000f05' },
  // xor ebx, ebx; mov eax, 1; int 0x80
  { platform: linux('386'), number: 3, bits: 32, code: '31dbb801000000cd80' },
  // mov x0, 0; mov x8, 93; svc 0
  { platform: linux('arm64'), number: 183, bits: 64, code: '000080d2a80b80d2010000d4' },
  // mov r0, 0; mov r7, 1; svc 0
  { platform: linux('arm', 'v7'), number: 40, bits: 32, flags: 0x05000000, code: '0000a0e30170a0e3000000ef' },
  // li a0, 0; li a7, 93; ecall
  { platform: linux('riscv64'), number: 243, bits: 64, flags: 4, code: '130500009308d00573000000' },
  // li r3, 0; li r0, 1; sc
  { platform: linux('ppc64le'), number: 21, bits: 64, flags: 2, code: '000060380100003802000044' },
  // lghi r2, 0; lghi r1, 1; svc 1
  { platform: linux('s390x'), number: 22, bits: 64, isBigEndian: true, code: 'a7290000a71900010a01' },
]

export interface ProbeProgram {
  readonly platform: Platform
  readonly bytes: Buffer
}

const loadAddress = 0x10000

/** For each machine the smallest program that ends at once, to find out whether it runs here. */
export const probePrograms = (): ProbeProgram[] =>
  machines.map((machine) => ({ platform: machine.platform, bytes: programFor(machine) }))

/** One segment: the headers, and the code after them. */
function programFor({ number, bits, isBigEndian = false, flags = 0, code }: Machine): Buffer {
  const headerBytes = bits === 64 ? 64 : 52
  const segmentBytes = bits === 64 ? 56 : 32
  const start = headerBytes + segmentBytes
  const bytes = Buffer.alloc(start + code.length / 2)
  const size = bytes.length
  const writer = new FieldWriter(bytes, isBigEndian)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, isBigEndian ? 2 : 1, 1])
  const word = bits === 64 ? 8 : 4
  // e_type .. e_shstrndx
  writer
    .at(16)
    .put(2, 2)
    .put(2, number)
    .put(4, 1)
    .put(word, loadAddress + start)
    .put(word, headerBytes)
    .put(word, 0)
  writer.put(4, flags).put(2, headerBytes).put(2, segmentBytes).put(2, 1)
  // PT_LOAD, readable and executable
  writer.at(headerBytes).put(4, 1)
  if (bits === 64) writer.put(4, 5)
  writer.put(word, 0).put(word, loadAddress).put(word, loadAddress).put(word, size).put(word, size)
  if (bits === 32) writer.put(4, 5)
  writer.put(word, loadAddress)
  bytes.write(code, start, 'hex')
  return bytes
}

class FieldWriter {
  readonly #bytes: Buffer
  readonly #isBigEndian: boolean
  #offset = 0

  constructor(bytes: Buffer, isBigEndian: boolean) {
    this.#bytes = bytes
    this.#isBigEndian = isBigEndian
  }

  at(offset: number): this {
    this.#offset = offset
    return this
  }

  put(width: number, value: number): this {
    const low = Math.min(width, 4)
    const at = this.#isBigEndian ? this.#offset + width - low : this.#offset
    if (this.#isBigEndian) this.#bytes.writeUIntBE(value, at, low)
    else this.#bytes.writeUIntLE(value, at, low)
    this.#offset += width
    return this
  }
}
