import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { command, type CommandOptions, type CommandResult } from './command.ts'
import type { TestEngine } from './engine.ts'
import { patience } from './patience.ts'

export type CliProgram = 'docker' | 'berth'

const berth = fileURLToPath(new URL('../../bin/berth', import.meta.url))

/** A command-line client of a test's engine: the real docker CLI, or Berth's. */
export class Cli {
  readonly program: CliProgram
  readonly engine: TestEngine

  constructor(program: CliProgram, engine: TestEngine) {
    this.program = program
    this.engine = engine
  }

  get file(): string {
    if (this.program === 'docker') return process.env['BERTH_DOCKER_CLI'] ?? 'docker'
    return process.env['BERTH_CLI'] ?? berth
  }

  get env(): Record<string, string> {
    const { host, folder } = this.engine
    return { DOCKER_HOST: host, BERTH_HOST: host, DOCKER_CONFIG: folder, BERTH_CONFIG: folder }
  }

  /** Runs it to its end, whatever comes out. */
  run(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return command(this.file, args, { ...options, env: { ...this.env, ...options.env } })
  }

  /** What it prints, trimmed; throws unless it exits with 0. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args)
    if (code !== 0) throw new Error(`${this.program} ${args.join(' ')}: exit ${code}\n${stderr}${stdout}`)
    return stdout.trim()
  }

  /** What it says when it must fail, trimmed; throws when it exits with 0. */
  async fails(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args)
    if (code === 0) throw new Error(`${this.program} ${args.join(' ')}: was to fail, printed\n${stdout}`)
    return stderr.trim()
  }

  /** Starts it and leaves it running; all three streams are pipes. */
  start(...args: string[]): ChildProcess {
    return spawn(this.file, args, { env: { ...process.env, ...this.env }, stdio: 'pipe' })
  }

  /** Runs it on a terminal of `rows` x `columns` (by script(1)), with `input` typed after it has printed `prompt`. */
  onTerminal(args: readonly string[], keys: TerminalKeys = {}): Promise<CommandResult> {
    return runOnTerminal(this, args, keys)
  }
}

export interface TerminalKeys {
  readonly input?: string
  /** The input waits for this text. */
  readonly prompt?: string
  readonly rows?: number
  readonly columns?: number
}

async function runOnTerminal(cli: Cli, args: readonly string[], keys: TerminalKeys): Promise<CommandResult> {
  const { input = '', prompt = '', rows = 24, columns = 80 } = keys
  const quoted = [cli.file, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  const inner = `stty rows ${rows} cols ${columns}; exec ${quoted}`
  const child = spawn('script', ['-qefc', inner, '/dev/null'], { env: { ...process.env, ...cli.env }, stdio: 'pipe' })
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>()
  const timer = setTimeout(() => child.kill('SIGKILL'), patience(30_000))
  let stdout = ''
  let typed = false
  const type = (): void => {
    if (typed || !stdout.includes(prompt)) return
    typed = true
    child.stdin.write(input)
  }
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    type()
  })
  if (prompt === '') type()
  child.on('error', reject)
  child.on('close', (code) => {
    clearTimeout(timer)
    resolve({ code: code ?? 137, stdout, stderr: '' })
  })
  return promise
}
