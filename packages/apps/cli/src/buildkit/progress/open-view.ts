import type { Cli } from '../../cli.ts'
import { PlainView } from './plain-view.ts'
import { QuietView } from './quiet-view.ts'
import { RawJsonView } from './raw-json-view.ts'
import { TerminalView } from './terminal-view.ts'
import type { ProgressView } from './view.ts'

export const progressModes = ['auto', 'none', 'plain', 'quiet', 'rawjson', 'tty'] as const
export type ProgressMode = (typeof progressModes)[number]

/** `--progress` or BUILDKIT_PROGRESS. Throws for a mode that there is not. */
export function chooseMode(cli: Cli, given: string): ProgressMode {
  const text = given === 'auto' || given === '' ? (cli.env['BUILDKIT_PROGRESS'] ?? 'auto') || 'auto' : given
  const mode = progressModes.find((one) => one === text)
  if (mode === undefined) throw new Error(`invalid progress mode ${text}`)
  if (mode === 'tty' && !cli.isTerminal(2)) throw new Error('failed to get console: provided file is not a console')
  if (mode !== 'auto') return mode
  return cli.isTerminal(2) && cli.env['TERM'] !== 'dumb' ? 'tty' : 'plain'
}

/** Opens the view on standard error; `context` is the name of the engine's context. */
export function openView(cli: Cli, mode: ProgressMode, context: string): ProgressView {
  const write = (text: string): void => cli.err(text)
  switch (mode) {
    case 'rawjson':
      return new RawJsonView(write)
    case 'quiet':
    case 'none':
      return new QuietView()
    case 'tty':
      return new TerminalView({
        write,
        label: `docker:${context}`,
        isColoured: (cli.env['NO_COLOR'] ?? '') === '',
        size: () => ({ width: process.stderr.columns ?? 80, height: process.stderr.rows ?? 24 }),
      })
    default:
      return new PlainView(write, `building with ${JSON.stringify(context)} instance using docker driver`)
  }
}
