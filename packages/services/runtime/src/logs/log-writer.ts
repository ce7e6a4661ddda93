import { nowNs } from '@berth/base'
import type { LogTarget } from '../runtime.ts'
import type { LogEncoder } from './encoder.ts'
import { jsonFileEncoder } from './json-file-encoder.ts'
import { LineCutter } from './line-cutter.ts'
import { localEncoder } from './local-encoder.ts'
import { RotatingFile, type Warn } from './rotating-file.ts'

/** One container's log. Writing never fails: what cannot be written is dropped, counted and warned of. */
export interface LogWriter {
  /** Output of stream 1 (stdout) or 2 (stderr), cut anywhere. */
  write(stream: 1 | 2, chunk: Buffer): void
  /** Writes what is left of unfinished lines and closes the file. */
  close(): void
}

/** Opens (and creates) the log; undefined for the driver `none`. Throws when the file cannot be opened. */
export function openLogWriter(target: LogTarget, warn: Warn): LogWriter | undefined {
  if (target.driver === 'none') return undefined
  const { driver, attrs } = target
  const encoder = (stream: 'stdout' | 'stderr') =>
    driver === 'local' ? localEncoder(stream) : jsonFileEncoder(stream, attrs)
  const encoders = [encoder('stdout'), encoder('stderr')] as const
  const file = new RotatingFile(target, encoders[0].boundaries, warn)
  const [stdout, stderr] = encoders.map((one) => streamCutter(one, file)) as [LineCutter, LineCutter]
  return {
    write: (stream, chunk) => (stream === 1 ? stdout : stderr).push(chunk),
    close() {
      stdout.end()
      stderr.end()
      file.close()
    },
  }
}

/** All lines of one chunk get one time; all pieces of a line the first one's, as Docker does. */
function streamCutter(encoder: LogEncoder, file: RotatingFile): LineCutter {
  let pieceTime = 0n
  return new LineCutter({
    lines: (bytes) => file.append(encoder.lines(bytes, nowNs())),
    piece(bytes, piece) {
      if (piece.ordinal === 1) pieceTime = nowNs()
      file.append(encoder.piece(bytes, piece, pieceTime))
    },
  })
}
