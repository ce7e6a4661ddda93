import type { ProgressMessage } from '@berth/engine-api'
import type { Cli } from '../cli.ts'
import { StatusError } from '../errors.ts'
import { humanSize } from './units.ts'
import { writeAll } from './write.ts'

export type ProgressTarget = 'stdout' | 'stderr' | 'silent'

/** Shows the progress of a load, import or pull; throws the error that the stream ends with. */
export async function printProgress(
  cli: Cli,
  messages: AsyncIterable<ProgressMessage>,
  target: ProgressTarget,
): Promise<void> {
  const fd = target === 'stderr' ? 2 : 1
  const screen = new ProgressScreen(fd, cli.isTerminal(fd))
  for await (const message of messages) {
    if (message.error !== undefined || message.errorDetail !== undefined) {
      throw new StatusError(1, message.errorDetail?.message ?? message.error)
    }
    if (target !== 'silent') screen.show(message)
  }
}

/** On a terminal every id keeps a line of its own; elsewhere only what is not a mere step is printed. */
class ProgressScreen {
  readonly #fd: 1 | 2
  readonly #terminal: boolean
  readonly #lines = new Map<string, number>()

  constructor(fd: 1 | 2, terminal: boolean) {
    this.#fd = fd
    this.#terminal = terminal
  }

  show(message: ProgressMessage): void {
    const { stream, id, status, progress, progressDetail } = message
    if (stream !== undefined) return this.#write(stream)
    if (status === undefined) return
    const moving = progressDetail?.current !== undefined || (progress ?? '') !== ''
    if (!this.#terminal && moving) return
    const text = `${id === undefined ? '' : `${id}: `}${status}`
    if (this.#terminal && id !== undefined && (moving || progressDetail !== undefined)) {
      return this.#redraw(id, moving ? `${text} ${progressText(message, terminalColumns())}` : text)
    }
    // What comes after belongs to other work: its lines are new ones.
    this.#lines.clear()
    this.#write(`${text}\n`)
  }

  #redraw(id: string, text: string): void {
    const known = this.#lines.get(id)
    if (known === undefined) {
      this.#lines.set(id, this.#lines.size)
      return this.#write(`${text}\n`)
    }
    const up = this.#lines.size - known
    this.#write(`\u001B[${up}A\u001B[2K\r${text}\r\u001B[${up}B`)
  }

  #write(text: string): void {
    writeAll(this.#fd, text)
  }
}

/** Narrower terminals see the numbers only, as docker has it. */
const narrowColumns = 110
const barWidth = 50

const terminalColumns = (): number => process.stderr.columns ?? process.stdout.columns ?? 200

/** `[====>    ]  1.2MB/3.4MB` of what a message says of its progress, as wide as there is room for. */
export function progressText({ progress, progressDetail }: ProgressMessage, columns: number): string {
  const { current = 0, total = 0 } = progressDetail ?? {}
  if (current <= 0 && total <= 0) return progress ?? ''
  if (total <= 0) return humanSize(current).padStart(8)
  const filled = Math.min(barWidth, Math.floor((current / total) * barWidth))
  const bar = `[${'='.repeat(filled)}>${' '.repeat(barWidth - filled)}] `
  const numbers =
    current > total ? humanSize(current).padStart(8) : `${humanSize(current).padStart(8)}/${humanSize(total)}`
  return columns > narrowColumns ? bar + numbers : numbers
}
