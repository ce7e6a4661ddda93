import type { StatusResponse } from '@berth/buildkit-protocol'
import { Trace } from './trace.ts'
import type { ProgressView } from './view.ts'

/** Nothing is shown, but kept. */
export class QuietView implements ProgressView {
  readonly trace = new Trace()

  take(status: StatusResponse, target: string): void {
    this.trace.update(status, target)
  }

  end(): void {}
}
