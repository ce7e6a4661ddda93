import type { StatusResponse } from '@berth/buildkit-protocol'
import type { Trace } from './trace.ts'

/** How the progress of builds is shown. */
export interface ProgressView {
  /** Takes what the engine tells of a build; `target` names it where there are several. */
  take(status: StatusResponse, target: string): void
  /** Nothing more comes. */
  end(): void
  readonly trace: Trace
}

export type Write = (text: string) => void
