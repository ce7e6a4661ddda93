import type { StatusResponse } from '@berth/buildkit-protocol'
import { ellipsis, textWidth } from '../../output/text.ts'
import { errorLogs, isDone, isRunning, runSeconds, statusDetail, type Step, Trace, wasCanceled } from './trace.ts'
import type { ProgressView, Write } from './view.ts'

export interface TerminalViewOptions {
  readonly write: Write
  /** At the right of the first line: `docker:default`. */
  readonly label: string
  readonly isColoured: boolean
  readonly size: () => { readonly width: number; readonly height: number }
}

const frameMs = 100
const logLines = 6
const escape = '\u001B'
const codes = { blue: 34, red: 31, yellow: 33, faint: 2 } as const

/** The screen of a build: a line for each step, redrawn in place, with the last output of those that run. */
export class TerminalView implements ProgressView {
  readonly trace = new Trace()
  readonly #options: TerminalViewOptions
  readonly #timer: NodeJS.Timeout
  #drawnLines = 0
  #drawnAt = 0

  constructor(options: TerminalViewOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#draw(false), frameMs)
  }

  take(status: StatusResponse, target: string): void {
    this.trace.update(status, target)
    if (Date.now() - this.#drawnAt >= frameMs) this.#draw(false)
  }

  end(): void {
    clearInterval(this.#timer)
    this.#draw(true)
    this.#options.write(errorLogs(this.trace))
  }

  #draw(isLast: boolean): void {
    const { begun, startedAt } = this.trace
    if (startedAt === undefined) return
    const { width, height } = this.#options.size()
    const now = Date.now() / 1000
    const lines = [this.#heading(now, { width, isLast }), ...this.#body(begun, now, width)]
    // A screen that scrolls cannot be drawn over; in the end all of it is left behind.
    const shown = isLast || lines.length < height ? lines : [lines[0] as string, ...lines.slice(2 - height)]
    const up = this.#drawnLines > 0 ? `${escape}[${this.#drawnLines}A` : ''
    const text = shown.map((line) => `${line}${escape}[K\n`).join('')
    this.#options.write(`${escape}[?25l${up}\r${text}${escape}[J${escape}[?25h`)
    this.#drawnLines = shown.length
    this.#drawnAt = Date.now()
  }

  #heading(now: number, { width, isLast }: { width: number; isLast: boolean }): string {
    const { begun, steps, startedAt = now } = this.trace
    const done = begun.filter(isDone).length
    const finished = isLast && done > 0 && done === steps.size ? ' FINISHED' : ''
    const left = `[+] Building ${(now - startedAt).toFixed(1)}s (${done}/${steps.size})${finished}`
    return spread(left, this.#options.label, width)
  }

  #body(begun: readonly Step[], now: number, width: number): string[] {
    return begun.flatMap((step) => {
      const mark = step.error !== '' ? (wasCanceled(step) ? 'CANCELED ' : 'ERROR ') : step.isCached ? 'CACHED ' : ''
      const seconds = runSeconds(step, now)
      const time = `${(seconds < 0.05 ? 0 : seconds).toFixed(1)}s`
      const line = spread(` => ${mark}${plain(step.name)}`, time, width)
      const statuses = [...step.statuses.values()].map((status) => {
        const spent = status.started === undefined ? 0 : (status.completed ?? now) - status.started
        const text = ` => => ${plain(status.id)}${statusDetail(status)
          .replace(/ \d+\.\ds/, '')
          .replace(/ done$/, '')}`
        return this.#paint(
          status.completed === undefined ? undefined : 'blue',
          spread(text, `${spent.toFixed(1)}s`, width),
        )
      })
      return [this.#paint(colourOf(step), line), ...statuses, ...this.#output(step, width)]
    })
  }

  /** What a step that runs has said last. */
  #output(step: Step, width: number): string[] {
    step.lines.length = 0
    if (!isRunning(step)) return []
    return step.tail
      .slice(-logLines)
      .map(({ text }) => this.#paint('faint', ellipsis(` => => # ${plain(text)}`, width - 1)))
  }

  #paint(colour: keyof typeof codes | undefined, text: string): string {
    return colour === undefined || !this.#options.isColoured ? text : `${escape}[${codes[colour]}m${text}${escape}[0m`
  }
}

function colourOf(step: Step): keyof typeof codes | undefined {
  if (!isDone(step)) return undefined
  if (step.error === '') return 'blue'
  return wasCanceled(step) ? 'yellow' : 'red'
}

/** Two texts at both ends of a line; the left one is cut. */
function spread(left: string, right: string, width: number): string {
  const room = Math.max(0, width - textWidth(right) - 2)
  const cut = ellipsis(left, room)
  return `${cut}${' '.repeat(Math.max(1, width - 1 - textWidth(cut) - textWidth(right)))}${right}`
}

/** Without what moves the cursor or changes colours: the screen is ours. */
const plain = (text: string): string =>
  text
    .replace(/^.*\r(?=.)/s, '')
    // oxlint-disable-next-line no-control-regex
    .replace(/\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)|.)/g, '')
    .replaceAll('\t', '    ')
    // oxlint-disable-next-line no-control-regex
    .replace(/[\u0000-\u001F\u007F]/g, '')
