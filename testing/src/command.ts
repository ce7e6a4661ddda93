import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { patience } from './patience.ts'

export interface CommandResult {
  /** 128 + n when a signal ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly input?: string | Buffer
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  readonly cwd?: string
}

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

/** Runs a program to its end; its input is empty unless given. Fails only when it cannot be started or takes too long. */
export async function command(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { input = '', env = {}, timeoutMs = 60_000, cwd } = options
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: 'pipe', cwd })
  const timer = setTimeout(() => child.kill('SIGKILL'), patience(timeoutMs))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  try {
    const [stdout, stderr, [code, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    return { code: code ?? 128 + (signalNumbers[String(signal)] ?? 0), stdout, stderr }
  } finally {
    clearTimeout(timer)
  }
}
