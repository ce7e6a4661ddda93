import { mkdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { codeOf, messageOf } from '@berth/base'
import { checkConfig } from './check-config.ts'

/** What the proxies of new containers are set to. */
export interface ProxyConfig {
  readonly httpProxy?: string
  readonly httpsProxy?: string
  readonly noProxy?: string
  readonly ftpProxy?: string
  readonly allProxy?: string
}

/** The part of docker's config.json that the commands use. */
export interface ConfigFile {
  readonly detachKeys?: string
  readonly psFormat?: string
  readonly imagesFormat?: string
  readonly statsFormat?: string
  readonly networksFormat?: string
  readonly volumesFormat?: string
  readonly pluginsFormat?: string
  readonly pruneFilters?: readonly string[]
  readonly HttpHeaders?: Readonly<Record<string, string>>
  readonly currentContext?: string
  /** By the engine's host; `default` for all others. */
  readonly proxies?: Readonly<Record<string, ProxyConfig>>
  readonly cliPluginsExtraDirs?: readonly string[]
  /** Settings of plugins by name; `hooks` lists the commands after which one is asked for hints. */
  readonly plugins?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** `builder`: the plugin that builds. */
  readonly aliases?: Readonly<Record<string, string>>
}

type Environment = Readonly<Record<string, string | undefined>>

/** Where the client's configuration lives: shared with docker, so that credentials and habits carry over. */
export function configDirectory(env: Environment, flag: string): string {
  const chosen = [flag, env['BERTH_CONFIG'], env['DOCKER_CONFIG']].find((path) => path !== undefined && path !== '')
  return chosen ?? join(env['HOME'] ?? '/', '.docker')
}

/**
 * Reads config.json; an absent one is empty, what is malformed is told of in docker's words and passed over. Throws an Error
 * for an alias that there is not.
 */
export function readConfigFile(directory: string, warn: (text: string) => void): ConfigFile {
  const path = join(directory, 'config.json')
  const text = readText(path, warn)
  if (text.trim() === '') return {}
  const { config, problem } = checkConfig(text)
  if (problem !== undefined) warn(`WARNING: Error parsing config file (${path}): ${problem}\n`)
  checkAliases(config)
  return config
}

function readText(path: string, warn: (text: string) => void): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') warn(`WARNING: Error loading config file: ${path}: ${messageOf(error)}\n`)
    return ''
  }
}

/** The commands that may be handed to a plugin. */
const aliasable: readonly string[] = ['builder']

function checkAliases({ aliases = {} }: ConfigFile): void {
  const other = Object.keys(aliases ?? {}).find((name) => !aliasable.includes(name))
  if (other !== undefined)
    throw new Error(`not allowed to alias ${JSON.stringify(other)} (allowed: ${aliasable.join(', ')})`)
}

/**
 * Changes config.json and keeps what is in it besides; it is replaced as a whole, where a symbolic link leads. Throws
 * an Error when the old one cannot be read, so that nothing in it is lost.
 */
export function updateConfigFile<T extends object>(
  directory: string,
  change: (config: ConfigFile & T) => object,
): void {
  const path = join(directory, 'config.json')
  const { target, mode, text } = openForChange(path)
  const changed = JSON.stringify(change(parse(text) as ConfigFile & T), undefined, '\t')
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
  const temporary = `${target}.${process.pid}.tmp`
  writeFileSync(temporary, changed, { mode })
  renameSync(temporary, target)
}

function openForChange(path: string): { target: string; mode: number; text: string } {
  try {
    const target = realpathSync(path)
    return { target, mode: statSync(target).mode & 0o777, text: readFileSync(target, 'utf8') }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return { target: path, mode: 0o600, text: '{}' }
  }
}

function parse(text: string): ConfigFile {
  const parsed: unknown = JSON.parse(text)
  return typeof parsed === 'object' && parsed !== null ? parsed : {}
}
