import { shortId } from '@berth/base'
import type { BuildEvent, BuildStep } from '@berth/builder'

type Send = (message: Readonly<Record<string, unknown>>) => void

/**
 * Tells a build as Docker's classic builder does: one step after the other, though stages are built side by side. What a
 * later step has to say waits for its turn.
 */
export class ClassicProgress {
  readonly #send: Send
  readonly #waiting = new Map<number, BuildEvent[]>()
  readonly #containers = new Map<number, string>()
  #turn = 1
  #last: { readonly stage: number; readonly imageId: string } | undefined

  constructor(send: Send) {
    this.#send = send
  }

  readonly take = (event: BuildEvent): void => {
    if (event.kind === 'warning') return this.#stream(`${event.text}\n`)
    const { number } = event.step
    if (number > this.#turn) {
      const waiting = this.#waiting.get(number) ?? []
      this.#waiting.set(number, [...waiting, event])
      return
    }
    this.#tell(event)
  }

  /** The last lines of a build that succeeded. */
  finish(imageId: string, names: readonly string[]): void {
    this.#send({ aux: { ID: imageId } })
    this.#stream(`Successfully built ${short(imageId)}\n`)
    for (const name of names) this.#stream(`Successfully tagged ${name}\n`)
  }

  #tell(event: Exclude<BuildEvent, { kind: 'warning' }>): void {
    switch (event.kind) {
      case 'failed':
        return
      case 'started':
        return this.#started(event.step)
      case 'running':
        this.#containers.set(event.step.number, shortId(event.containerId))
        return this.#stream(` ---> Running in ${shortId(event.containerId)}\n`)
      case 'output':
        return this.#stream(event.stream === 2 ? `\u001B[91m${event.bytes}\u001B[0m` : event.bytes.toString())
      case 'ended':
        return this.#ended(event.step, event.isCached, event.imageId())
    }
  }

  #started(step: BuildStep): void {
    if (this.#last && this.#last.stage !== step.stage) this.#send({ aux: { ID: this.#last.imageId } })
    this.#stream(`Step ${step.number}/${step.total} : ${step.text}`)
    this.#stream('\n')
  }

  #ended(step: BuildStep, isCached: boolean, imageId: string): void {
    const container = this.#containers.get(step.number)
    if (isCached) this.#stream(' ---> Using cache\n')
    else if (container !== undefined) this.#stream(` ---> Removed intermediate container ${container}\n`)
    this.#stream(` ---> ${short(imageId)}\n`)
    this.#last = { stage: step.stage, imageId }
    // A trigger of ONBUILD ends under the number of its FROM.
    if (step.number === this.#turn) this.#advance()
  }

  #advance(): void {
    this.#turn++
    const events = this.#waiting.get(this.#turn) ?? []
    this.#waiting.delete(this.#turn)
    for (const event of events) this.take(event)
  }

  #stream(text: string): void {
    this.#send({ stream: text })
  }
}

const short = (imageId: string): string => shortId(imageId.replace(/^sha256:/, ''))
