import type { Cli } from '../cli.ts'

export interface TerminalSize {
  readonly height: number
  readonly width: number
}

/** The size of our terminal; undefined if standard output is none. */
export function terminalSize(): TerminalSize | undefined {
  const { columns, rows } = process.stdout
  return columns === undefined || rows === undefined ? undefined : { height: rows, width: columns }
}

/** Puts the terminal into raw mode until it is disposed or the process ends, whichever way. */
export function enterRawMode(): Disposable {
  const { stdin } = process
  if (!stdin.isTTY) return { [Symbol.dispose]: () => undefined }
  const restore = (): void => void stdin.setRawMode(false)
  stdin.setRawMode(true)
  process.on('exit', restore)
  passOutputThrough()
  return {
    [Symbol.dispose]() {
      process.off('exit', restore)
      restore()
    },
  }
}

/**
 * Node's raw mode still turns a line feed into carriage return and line feed, which garbles what full-screen programs
 * draw. `restore` undoes this too: it sets the whole terminal back. Without stty the screen is merely less exact.
 */
function passOutputThrough(): void {
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] })
}

/** Keeps a remote terminal at the size of ours until it is disposed. */
export function followSize(resize: (size: TerminalSize) => Promise<void>): Disposable {
  const apply = (): void => {
    const size = terminalSize()
    // A resize comes too early or too late without harm.
    if (size !== undefined) resize(size).catch(() => undefined)
  }
  apply()
  process.on('SIGWINCH', apply)
  return { [Symbol.dispose]: () => void process.off('SIGWINCH', apply) }
}

/** Throws if a terminal is asked for and standard input, to be attached, is none. */
export function requireTerminal(cli: Cli, { tty, stdin }: { tty: boolean; stdin: boolean }): void {
  if (tty && stdin && !cli.isTerminal(0)) throw new Error('the input device is not a TTY')
}
