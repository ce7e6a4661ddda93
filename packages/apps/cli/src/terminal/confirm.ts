import { readSync } from 'node:fs'
import type { Cli } from '../cli.ts'

/** Asks on standard output; true for `y` or `yes`. The end of the input is a no. */
export async function confirm(cli: Cli, question: string): Promise<boolean> {
  cli.out(`${question} [y/N] `)
  return /^(y|yes)$/i.test(readLine().trim())
}

function readLine(): string {
  const byte = Buffer.alloc(1)
  const line: number[] = []
  while (readSync(0, byte) === 1 && byte[0] !== 10) line.push(byte[0] ?? 0)
  return Buffer.from(line).toString()
}
