import { invalid, unavailable } from '@berth/base'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Memory that a decompressor may take: xz's own presets need up to 65 MiB. */
const commands = {
  xz: { file: 'xz', args: ['-dc', '--memlimit-decompress=512MiB'], packageName: 'xz-utils' },
  bzip2: { file: 'bzip2', args: ['-dc'], packageName: 'bzip2' },
} as const

/** Decompresses by the distribution's program, for the formats that Node does not know. */
export async function* externalDecompressor(
  source: Readable,
  compression: keyof typeof commands,
): AsyncGenerator<Buffer> {
  const { file, args, packageName } = commands[compression]
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } })
  const exit = once(child, 'close') as Promise<[number | null, string | null]>
  exit.catch(() => {})
  let complaint = ''
  child.stderr.on('data', (text: Buffer) => (complaint = (complaint + text.toString()).slice(0, 500)))
  const fed = pipeline(source, child.stdin).catch((error: unknown) => error)
  try {
    yield* child.stdout as AsyncIterable<Buffer>
    const [code] = await exit.catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? unavailable(`${file} is not installed (package ${packageName})`, error) : error
    })
    const failure = await fed
    if (failure instanceof Error && !isClosedPipe(failure)) throw failure
    if (code !== 0) throw invalid(complaint.trim() || `${file} failed with status ${code}`)
  } finally {
    child.kill('SIGKILL')
  }
}

/** The program ended before it had read everything: its own status says why. */
const isClosedPipe = (error: NodeJS.ErrnoException): boolean =>
  error.code === 'EPIPE' || error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ERR_STREAM_DESTROYED'
