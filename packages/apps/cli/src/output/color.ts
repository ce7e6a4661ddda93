import type { Cli } from '../cli.ts'

const codes = { red: 31, green: 32, yellow: 33, bold: 1 } as const
export type Color = keyof typeof codes

/** Colours a text on a terminal, unless NO_COLOR asks for none (https://no-color.org) or the terminal is dumb. */
export function paint(cli: Pick<Cli, 'env' | 'isTerminal'>, fd: 1 | 2, color: Color, text: string): string {
  const plain = (cli.env['NO_COLOR'] ?? '') !== '' || cli.env['TERM'] === 'dumb' || !cli.isTerminal(fd)
  return plain ? text : `\u001B[${codes[color]}m${text}\u001B[0m`
}
