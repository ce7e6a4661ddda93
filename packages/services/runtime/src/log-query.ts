import type { LogTarget } from './runtime.ts'

export interface LogQuery {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly sinceNs?: bigint
  readonly untilNs?: bigint
  /** Last lines wanted; undefined: all. */
  readonly tail?: number
  readonly timestamps: boolean
  /** Prefix lines with the recorded attributes. */
  readonly details: boolean
  /** Raw lines (a TTY container); else each line in a frame. */
  readonly raw: boolean
}

/** Follows when given; `ended` resolves when no more will be written. */
export interface LogFollow {
  readonly signal: AbortSignal
  readonly ended: Promise<void>
}

export type ReadLogs = (target: LogTarget, query: LogQuery, follow?: LogFollow) => AsyncIterable<Buffer>
