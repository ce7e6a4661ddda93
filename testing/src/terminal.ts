import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './until.ts'

export interface TerminalOptions {
  readonly columns?: number
  readonly rows?: number
  readonly env?: Readonly<Record<string, string>>
  /** What runs in it; a plain shell by default, whose prompt is `$ `. */
  readonly command?: string
}

/**
 * A real terminal (a pane of tmux, which has to be installed) with a shell in it. Dispose it: what runs in it gets SIGHUP.
 */
export class Terminal implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'berth-terminal-'))

  constructor({ columns = 80, rows = 24, env = {}, command = 'sh -i' }: TerminalOptions = {}) {
    const profile = join(this.#folder, 'profile')
    const settings = Object.entries(env).map(([name, value]) => `export ${name}='${value}'\n`)
    writeFileSync(profile, `${settings.join('')}PS1='$ '\n`)
    const size = ['-x', String(columns), '-y', String(rows)]
    // window-size manual: nobody is attached who could say another size.
    this.#tmux('new-session', '-d', ...size, `. ${profile}; ENV=${profile} exec ${command}`)
    this.#tmux('set-option', '-g', 'window-size', 'manual')
    this.#tmux('pipe-pane', `exec cat >> ${this.#rawFile}`)
  }

  get #rawFile(): string {
    return join(this.#folder, 'raw')
  }

  /** Types text as it is; `\r` is the return key, `\x03` is control-C. */
  type(text: string): void {
    this.#tmux('send-keys', '-l', text)
  }

  /** Types one line. */
  run(line: string): void {
    this.type(`${line}\r`)
  }

  /** Types one line and resolves with the screen when its exit code was printed. */
  async finish(line: string): Promise<{ readonly code: number; readonly screen: string }> {
    const marker = `end${Math.random().toString(36).slice(2, 8)}`
    this.run(`clear; ${line}; echo ${marker}=$?`)
    const pattern = new RegExp(`^([^]*)${marker}=(\\d+)$`, 'm')
    const [, screen = '', code = ''] = (await this.shows(pattern)) as unknown as string[]
    return { code: Number(code), screen: screen.trimEnd() }
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows))
  }

  /** The screen's lines, joined; wrapped lines stay apart. */
  screen(): string {
    return this.#tmux('capture-pane', '-p').trimEnd()
  }

  /** All bytes that were written to the terminal so far. */
  raw(): string {
    return existsSync(this.#rawFile) ? readFileSync(this.#rawFile, 'latin1') : ''
  }

  /** Resolves with the match when the screen shows it; fails with the screen after `timeoutMs`. */
  async shows(pattern: RegExp, timeoutMs = 20_000): Promise<RegExpExecArray> {
    let found: RegExpExecArray | null = null
    try {
      await until(() => (found = pattern.exec(this.screen())) !== null, timeoutMs)
    } catch (error) {
      throw new Error(`the terminal does not show ${pattern}:\n${this.screen()}`, { cause: error })
    }
    return found!
  }

  [Symbol.dispose](): void {
    this.#tmux('kill-server')
    rmSync(this.#folder, { recursive: true })
  }

  #tmux(...args: string[]): string {
    const all = ['-S', join(this.#folder, 'tmux'), '-f', '/dev/null', ...args]
    const { status, stdout, stderr, error } = spawnSync('tmux', all, { encoding: 'utf8' })
    if (error) throw error
    if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`)
    return stdout
  }
}
