import type { Cli } from '../cli.ts'
import type { BakeFile } from './bake-files.ts'

const kinds = new Set(['auto', 'none', 'plain', 'quiet', 'rawjson', 'tty'])

/** Tells on standard error which definitions were read, as buildx does. */
export function tellOfFiles(cli: Cli, files: readonly BakeFile[], progress: string): void {
  if (!kinds.has(progress)) throw new Error(`invalid progress mode ${progress}`)
  const isPlain = progress === 'plain' || (progress === 'auto' && !cli.isTerminal(2))
  if (!isPlain) return
  const lines = files.map(
    ({ name, bytes }) => `#1 reading ${name === '-' ? 'from stdin' : name} ${bytes}B / ${bytes}B done\n`,
  )
  cli.err(`#1 [internal] load local bake definitions\n${lines.join('')}#1 DONE 0.0s\n`)
}
