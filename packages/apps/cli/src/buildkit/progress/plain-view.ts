import type { StatusResponse } from '@berth/buildkit-protocol'
import {
  errorLogs,
  isDone,
  isRunning,
  lineTime,
  runSeconds,
  statusDetail,
  type StatusLine,
  type Step,
  Trace,
  wasCanceled,
} from './trace.ts'
import type { ProgressView, Write } from './view.ts'

/** A status is shown again after as much progress, or time. */
const leastProgress = 0.05
const leastSeconds = 5

/** Another step has its turn when the one that is shown has had it for so long. */
const turnSeconds = 5

/** What comes in quick succession is shown together. */
const gatherMs = 150

/** Lines that are never taken back: `#3 [2/4] RUN make`, one block for a step at a time. */
export class PlainView implements ProgressView {
  readonly trace = new Trace()
  readonly #write: Write
  readonly #now: () => number
  readonly #shownStatuses = new Map<string, StatusLine>()
  /** Steps with something to show. */
  readonly #changed = new Set<Step>()
  #current: Step | undefined
  #currentSince = 0
  readonly #heading: string
  #timer: NodeJS.Timeout | undefined
  #isFirst = true
  #number = 0
  readonly #numbers = new Map<Step, number>()

  constructor(write: Write, heading = '', now: () => number = () => Date.now() / 1000) {
    this.#write = write
    this.#now = now
    this.#heading = heading
  }

  take(status: StatusResponse, target: string): void {
    this.#begin()
    for (const step of this.trace.update(status, target)) if (step.started !== undefined) this.#changed.add(step)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#show()
    }, gatherMs)
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#show()
    for (const step of this.#changed) this.#showStep(step)
    this.#write(errorLogs(this.trace))
  }

  #begin(): void {
    if (this.#heading === '' || !this.#isFirst) return
    this.#write(`#0 ${this.#heading}\n`)
    this.#isFirst = false
  }

  /** Steps that are done come first, then the one that had the last word, or whose turn it is. */
  #show(): void {
    const changed = [...this.#changed]
    const current = this.#current
    if (current && this.#changed.has(current) && isDone(current)) this.#showStep(current)
    const done = changed.filter((step) => isDone(step) && step !== current)
    for (const step of done.toSorted((a, b) => (a.completed ?? 0) - (b.completed ?? 0))) this.#showStep(step)
    const next = this.#nextActive()
    if (next) this.#showStep(next)
  }

  #nextActive(): Step | undefined {
    const waiting = [...this.#changed].filter((step) => !isDone(step))
    const current = this.#current
    if (!current) return waiting[0] ?? (this.#isBetween() ? this.trace.begun.find(isRunning) : undefined)
    if (waiting.includes(current) && this.#now() - this.#currentSince < turnSeconds) return current
    if (this.#now() - this.#currentSince < turnSeconds) return undefined
    return waiting.find((step) => step !== current) ?? (waiting.includes(current) ? current : undefined)
  }

  /** Something was shown, and nothing is open. */
  #isBetween(): boolean {
    return this.#current === undefined && this.#number > 0
  }

  #showStep(step: Step): void {
    this.#changed.delete(step)
    const number = this.#numberOf(step)
    if (step !== this.#current) this.#turnTo(step, number)
    const line = (text: string) => this.#write(`#${number} ${text}\n`)
    let isOpen = false
    for (const id of step.statuses.keys()) {
      const status = step.statuses.get(id) as StatusLine
      if (!step.changed.has(id) || !this.#isNews(step, status)) continue
      if (status.completed === undefined) isOpen = true
      line(`${id}${statusDetail(status)}`)
    }
    step.changed.clear()
    for (const warning of step.warnings.splice(0)) line(`WARN: ${Buffer.from(warning.short).toString()}`)
    for (const { text, seconds } of step.lines.splice(0)) line(`${lineTime(seconds)} ${text}`)
    if (isDone(step) && !isOpen) this.#finish(step, line)
  }

  #turnTo(step: Step, number: number): void {
    if (this.#current) this.#write(`#${this.#numberOf(this.#current)} ...\n`)
    if (!this.#isFirst) this.#write('\n')
    this.#isFirst = false
    this.#write(`#${number} ${step.name}\n`)
    this.#current = step
    this.#currentSince = this.#now()
  }

  #finish(step: Step, line: Write): void {
    this.#current = undefined
    if (step.error !== '') line(wasCanceled(step) ? 'CANCELED' : `ERROR: ${step.error}`)
    else if (step.isCached) line('CACHED')
    else line(`DONE ${runSeconds(step, this.#now()).toFixed(1)}s`)
  }

  #isNews(step: Step, status: StatusLine): boolean {
    const key = `${step.digest} ${status.id}`
    const last = this.#shownStatuses.get(key)
    const progress = last && status.total > 0 ? (status.current - last.current) / status.total : 0
    const isSoon = last !== undefined && status.at - last.at < leastSeconds && progress < leastProgress
    if (isSoon && status.completed === undefined) return false
    this.#shownStatuses.set(key, status)
    return true
  }

  #numberOf(step: Step): number {
    const known = this.#numbers.get(step)
    if (known !== undefined) return known
    this.#numbers.set(step, ++this.#number)
    return this.#number
  }
}
