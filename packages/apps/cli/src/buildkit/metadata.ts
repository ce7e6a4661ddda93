import { writeFileSync } from 'node:fs'
import type { VertexWarning } from '@berth/buildkit-protocol'
import type { Cli } from '../cli.ts'
import { currentContext } from '../context/current-context.ts'
import type { BuildResult } from './run-builds.ts'

/** `--metadata-file`: what the engine says of the result, by its names. */
export function metadataOf(cli: Cli, { ref, exporterResponse }: BuildResult): Record<string, unknown> {
  const context = currentContext(cli.contextSources)
  const found = Object.entries(exporterResponse).map(([name, text]) => [name, decodeValue(text)] as const)
  return Object.fromEntries(
    [...found, ['buildx.build.ref', `${context}/${context}/${ref}`] as const].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** Objects come as JSON in base64, or as it is. */
function decodeValue(text: string): unknown {
  for (const candidate of [Buffer.from(text, 'base64').toString(), text]) {
    if (!candidate.startsWith('{') && !candidate.startsWith('[')) continue
    try {
      return JSON.parse(candidate)
    } catch {
      // A text all the same.
    }
  }
  return text
}

export function writeMetadata(
  cli: Cli,
  path: string,
  { result }: { readonly result: BuildResult; readonly warnings: readonly VertexWarning[] },
): void {
  writeFileSync(path, JSON.stringify(metadataOf(cli, result), undefined, 2))
}
