import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, messageOf } from '@berth/base'

/** The part of docker's config.json that the commands use. */
export interface ConfigFile {
  readonly detachKeys?: string
  readonly psFormat?: string
  readonly imagesFormat?: string
  readonly statsFormat?: string
  readonly networksFormat?: string
  readonly volumesFormat?: string
  readonly pruneFilters?: readonly string[]
  readonly HttpHeaders?: Readonly<Record<string, string>>
}

type Environment = Readonly<Record<string, string | undefined>>

/** Where the client's configuration lives: shared with docker, so that credentials and habits carry over. */
export function configDirectory(env: Environment, flag: string): string {
  const chosen = [flag, env['BERTH_CONFIG'], env['DOCKER_CONFIG']].find((path) => path !== undefined && path !== '')
  return chosen ?? join(env['HOME'] ?? '/', '.docker')
}

/** Reads config.json; an absent one is empty, a malformed one is told of and passed over. */
export function readConfigFile(directory: string, warn: (text: string) => void): ConfigFile {
  const path = join(directory, 'config.json')
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof parsed === 'object' && parsed !== null ? (parsed as ConfigFile) : {}
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') warn(`WARNING: Error loading config file: ${path}: ${messageOf(error)}\n`)
    return {}
  }
}
