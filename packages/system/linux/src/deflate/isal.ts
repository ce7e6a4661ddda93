import { constants, inflateRawSync } from 'node:zlib'
import { addressOf, callOnPool, declareFunctions, loadLibrary } from '../libc.ts'

/**
 * Deflates a block (RFC 1951) on a libuv pool thread: to whole bytes and without a last block, so that another can follow.
 * `undefined` when it would not get smaller. The block must not change meanwhile.
 */
export type DeflateBlock = (block: Uint8Array) => Promise<Buffer | undefined>

interface Functions {
  init(stream: Uint8Array): void
  deflate(stream: Uint8Array): number
}

/**
 * ISA-L's deflate, where Debian's libisal2 is installed and does what its header says: makes for each stream of blocks a
 * function that keeps its memory from block to block.
 */
export function openIsal(name = 'libisal.so.2'): (() => DeflateBlock) | undefined {
  const functions = declareFunctions<Functions>(
    { init: 'void isal_deflate_stateless_init(void *)', deflate: 'int isal_deflate_stateless(void *)' },
    () => loadLibrary(name),
  )
  return works(functions) ? () => newDeflate(functions) : undefined
}

/** Tried once: a layout that is written down by hand meets a library of whatever version. */
function works(functions: Functions): boolean {
  const block = Buffer.from('berth '.repeat(1000))
  try {
    const workspace = new Workspace()
    workspace.begin(functions, block)
    const compressed = workspace.result(functions.deflate(workspace.stream))
    return compressed !== undefined && inflateRawSync(compressed, unfinished).equals(block)
  } catch {
    return false
  }
}

const unfinished = { finishFlush: constants.Z_SYNC_FLUSH }

function newDeflate(functions: Functions): DeflateBlock {
  const idle: Workspace[] = []
  return async (block) => {
    const workspace = idle.pop() ?? new Workspace()
    workspace.begin(functions, block)
    const compressed = await callOnPool(functions.deflate, [workspace.stream], (result) => workspace.result(result))
    idle.push(workspace)
    return compressed
  }
}

/**
 * struct isal_zstream of igzip_lib.h takes 82,384 bytes as Debian builds it, most of them the library's own business; the
 * rest is room for later versions.
 */
const streamBytes = 128 << 10
/** ISAL_DEF_LVL2_DEFAULT, for which the library asks; as fast as its first level on a processor with AVX-512. */
const levelBytes = (4 << 10) + 2 * (32 << 10) + 4 * (64 << 10)
const level = 2
const FULL_FLUSH = 2
const COMP_OK = 0
const STATELESS_OVERFLOW = -1

/** The public head of struct isal_zstream. */
const offsets = {
  nextIn: 0,
  availableIn: 8,
  nextOut: 16,
  availableOut: 24,
  totalOut: 28,
  level: 40,
  levelBytes: 44,
  levelMemory: 48,
  flush: 58,
} as const

/** What one call works with. It holds on to what the stream has addresses of. */
class Workspace {
  readonly stream = Buffer.alloc(streamBytes)
  readonly #levelMemory = Buffer.allocUnsafeSlow(levelBytes)
  #output = Buffer.alloc(0)
  #block: Uint8Array = this.#output

  begin({ init }: Functions, block: Uint8Array): void {
    const { stream } = this
    this.#block = block
    if (this.#output.length < block.length) this.#output = Buffer.allocUnsafeSlow(block.length)
    init(stream)
    stream.writeBigUInt64LE(addressOf(block), offsets.nextIn)
    stream.writeUInt32LE(block.length, offsets.availableIn)
    stream.writeBigUInt64LE(addressOf(this.#output), offsets.nextOut)
    stream.writeUInt32LE(block.length, offsets.availableOut)
    stream.writeUInt32LE(level, offsets.level)
    stream.writeUInt32LE(levelBytes, offsets.levelBytes)
    stream.writeBigUInt64LE(addressOf(this.#levelMemory), offsets.levelMemory)
    stream.writeUInt16LE(FULL_FLUSH, offsets.flush)
  }

  /** `code` is what the call returned. */
  result(code: number): Buffer | undefined {
    if (code === STATELESS_OVERFLOW) return undefined
    if (code !== COMP_OK) throw new Error(`isal_deflate_stateless: ${code}`)
    const size = this.stream.readUInt32LE(offsets.totalOut)
    return size < this.#block.length ? Buffer.from(this.#output.subarray(0, size)) : undefined
  }
}
