import { nowNs } from '@berth/base'
import type { LogTarget } from '../runtime.ts'
import type { LogEncoder } from './encoder.ts'
import { jsonFileEncoder } from './json-file-encoder.ts'
import { LineCutter } from './line-cutter.ts'
import { localEncoder } from './local-encoder.ts'
import { LogQueue } from './log-queue.ts'
import { openRotatingFile, type Warn } from './rotating-file.ts'

/**
 * One container's log. Writing never fails and never waits for the disk: what cannot be written is dropped, counted and
 * warned of.
 */
export interface LogWriter {
  /** Output of stream 1 (stdout) or 2 (stderr), cut anywhere. */
  write(stream: 1 | 2, chunk: Buffer): void
  /** More waits for the disk than should: nothing should be written until `onRoom` calls. */
  readonly isFull: boolean
  onRoom(listener: () => void): void
  /** Resolves when the whole lines that were written so far are in the file. */
  flush(): Promise<void>
  /** Resolves when what is left of unfinished lines, and all before, is written and the file closed. */
  close(): Promise<void>
}

/** Opens (and creates) the log; undefined for the driver `none`. Rejects when the file cannot be opened. */
export async function openLogWriter(target: LogTarget, warn: Warn): Promise<LogWriter | undefined> {
  if (target.driver === 'none') return undefined
  const { driver, attrs } = target
  const encoder = (stream: 'stdout' | 'stderr') =>
    driver === 'local' ? localEncoder(stream) : jsonFileEncoder(stream, attrs)
  const encoders = [encoder('stdout'), encoder('stderr')] as const
  let onRoom = () => {}
  const file = await openRotatingFile(target, encoders[0].boundaries, warn)
  const queue = new LogQueue(file, () => onRoom(), target.dropsBeyondBytes)
  const [stdout, stderr] = encoders.map((one) => streamCutter(one, queue)) as [LineCutter, LineCutter]
  let closed: Promise<void> | undefined
  const close = () => {
    stdout.end()
    stderr.end()
    return queue.close()
  }
  return {
    write: (stream, chunk) => (stream === 1 ? stdout : stderr).push(chunk),
    get isFull() {
      return queue.isFull
    },
    onRoom: (listener) => (onRoom = listener),
    flush: () => queue.flush(),
    close: () => (closed ??= close()),
  }
}

/** All lines of one chunk get one time; all pieces of a line the first one's, as Docker does. */
function streamCutter(encoder: LogEncoder, queue: LogQueue): LineCutter {
  let pieceTime = 0n
  return new LineCutter({
    lines: (bytes) => queue.push(encoder.lines(bytes, nowNs())),
    piece(bytes, piece) {
      if (piece.ordinal === 1) pieceTime = nowNs()
      queue.push(encoder.piece(bytes, piece, pieceTime))
    },
  })
}
