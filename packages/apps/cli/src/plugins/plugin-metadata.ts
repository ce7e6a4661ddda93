import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Plugin } from './find-plugins.ts'

/** What a plugin says of itself; the field names are the protocol's. */
export interface PluginMetadata {
  readonly SchemaVersion: string
  readonly Vendor: string
  readonly Version?: string
  readonly ShortDescription?: string
}

const timeoutMs = 5000

/** Asks a plugin for its description; undefined if it is none. */
export async function readMetadata({ path }: Plugin): Promise<PluginMetadata | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, ['docker-cli-plugin-metadata'], { timeout: timeoutMs })
    const metadata = JSON.parse(stdout) as Partial<PluginMetadata>
    const isKnown = metadata.SchemaVersion?.startsWith('0.1.') === true && (metadata.Vendor ?? '') !== ''
    return isKnown ? (metadata as PluginMetadata) : undefined
  } catch {
    return undefined
  }
}
