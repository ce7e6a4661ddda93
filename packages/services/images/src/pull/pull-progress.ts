import { shortId } from '@berth/base'
import { type Digest, hexOf } from '@berth/oci'
import type { Progress } from '../images.ts'
import { layerProgress } from '../progress.ts'

/** Bars move no more often than this, whatever the speed. */
const intervalMs = 100

/** Tells a client of one layer, in Docker's words. */
export class LayerReport {
  readonly #id: string
  readonly #totalBytes: number
  readonly #send: Progress
  #lastMs = 0
  #status = ''

  constructor({ digest, size }: { readonly digest: Digest; readonly size: number }, send: Progress) {
    this.#id = shortId(hexOf(digest))
    this.#totalBytes = size
    this.#send = send
  }

  /** `Pull complete`; the same words twice in a row are said once. */
  say(status: string): void {
    if (status === this.#status) return
    this.#status = status
    this.#lastMs = 0
    this.#send({ status, progressDetail: {}, id: this.#id })
  }

  /** What is waited for before another try. */
  retrying(secondsLeft: number): void {
    this.say(`Retrying in ${secondsLeft} second${secondsLeft === 1 ? '' : 's'}`)
  }

  /** `Downloading` with a bar. The last step of a status is always shown. */
  bar(status: string, currentBytes: number): void {
    const nowMs = performance.now()
    const isLast = currentBytes >= this.#totalBytes
    if (status === this.#status && !isLast && nowMs - this.#lastMs < intervalMs) return
    this.#status = status
    this.#lastMs = nowMs
    this.#send(layerProgress(status, this.#id, currentBytes, this.#totalBytes))
  }
}
