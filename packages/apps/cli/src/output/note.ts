import type { Cli } from '../cli.ts'

/** Something that the user should know, beside what was asked for: on standard output, indented as docker's notes are. */
export function printNote(cli: Cli, text: string): void {
  const isTerminal = cli.isTerminal(1)
  const header = isTerminal ? '\u001B[1;106;30mi\u001B[0m\u001B[96m Info → \u001B[0m' : ' Info -> '
  const padding = ' '.repeat(isTerminal ? 'i Info > '.length : header.length)
  const lines = text.split('\n').map((line) => (isTerminal ? `\u001B[3m${line}\u001B[0m` : line))
  cli.out(`\n${header}${lines.join(`\n${padding}`)}\n`)
}
