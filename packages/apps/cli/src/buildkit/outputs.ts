import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import type { OutputTarget } from '@berth/buildkit-client'
import type { Cli } from '../cli.ts'
import type { Output } from './build-request.ts'
import { kindOf } from './parse/outputs.ts'

/** Where each of the exporters sends its files, by their numbers. Throws for a place that will not do. */
export function outputTargets(cli: Cli, exporters: readonly Output[]): Map<number, OutputTarget> {
  const targets = new Map<number, OutputTarget>()
  for (const [id, output] of exporters.entries()) {
    const kind = output.type === 'moby' ? 'image' : kindOf(output)
    if (kind === 'directory') targets.set(id, { directory: requireDirectory(output) })
    if (kind === 'file') targets.set(id, { write: fileWriter(cli, output) })
  }
  return targets
}

function requireDirectory({ type, dest }: Output): string {
  if (dest === '') throw new Error(`dest is required for ${type} exporter`)
  if (dest === '-') throw new Error(`dest cannot be stdout for ${type} exporter`)
  const status = statSync(dest, { throwIfNoEntry: false })
  if (status && !status.isDirectory()) throw new Error(`destination directory ${dest} is a file`)
  return dest
}

/** The file is made at once, so that a place that cannot be written to is told of before the build. */
function fileWriter(cli: Cli, { type, dest }: Output): (chunks: AsyncIterable<Uint8Array>) => Promise<void> {
  if (dest === '-' || dest === '') {
    if (cli.isTerminal(1)) throw new Error(`dest file is required for ${type} exporter. refusing to write to console`)
    return async (chunks) => {
      for await (const chunk of chunks) cli.out(chunk)
    }
  }
  if (statSync(dest, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new Error(`destination file ${dest} is a directory`)
  }
  const file = openSync(dest, 'w')
  return async (chunks) => {
    try {
      for await (const chunk of chunks) for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at)
    } finally {
      closeSync(file)
    }
  }
}
