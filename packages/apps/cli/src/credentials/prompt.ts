import { readSync } from 'node:fs'
import { codeOf } from '@berth/base'
import type { Cli } from '../cli.ts'

/** Asks on the terminal; what is typed is seen. */
export function ask(cli: Cli, question: string): string {
  cli.out(question)
  return readLine().trim()
}

/** Asks on the terminal; what is typed is not seen. */
export function askSecret(cli: Cli, question: string): string {
  using _ = hideTyping()
  cli.out(question)
  const line = readLine()
  cli.out('\n')
  return line
}

/** All of standard input, without the line's end. */
export function readSecretFromInput(): string {
  const chunks: Buffer[] = []
  const chunk = Buffer.alloc(4096)
  for (let count = read(chunk); count > 0; count = read(chunk)) chunks.push(Buffer.from(chunk.subarray(0, count)))
  return Buffer.concat(chunks).toString().replace(/\n$/, '').replace(/\r$/, '')
}

/** Node's raw mode takes a terminal's signals with it: only the echo goes, and comes back whichever way we end. */
function hideTyping(): Disposable {
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const stty = (flag: string) => void spawnSync('stty', [flag], { stdio: ['inherit', 'ignore', 'ignore'] })
  const restore = () => stty('echo')
  const onSignal = () => process.exit(130)
  process.on('exit', restore)
  process.on('SIGINT', onSignal)
  stty('-echo')
  return {
    [Symbol.dispose]() {
      process.off('exit', restore)
      process.off('SIGINT', onSignal)
      restore()
    },
  }
}

function readLine(): string {
  const byte = Buffer.alloc(1)
  const line: number[] = []
  while (read(byte) === 1 && byte[0] !== 10) line.push(byte[0] ?? 0)
  return Buffer.from(line).toString().replace(/\r$/, '')
}

function read(into: Buffer): number {
  try {
    return readSync(0, into)
  } catch (error) {
    if (codeOf(error) === 'EOF') return 0
    throw error
  }
}
