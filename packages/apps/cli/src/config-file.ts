import { mkdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { codeOf, messageOf } from '@berth/base'

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

/** Reads config.json; an absent one is empty, what is malformed is told of and passed over. */
export function readConfigFile(directory: string, warn: (text: string) => void): ConfigFile {
  const path = join(directory, 'config.json')
  try {
    const { config, problem } = keepWellTyped(parse(readFileSync(path, 'utf8')))
    if (problem !== undefined) warn(`WARNING: Error parsing config file (${path}): ${problem}\n`)
    return config
  } catch (error) {
    if (error instanceof SyntaxError) warn(`WARNING: Error parsing config file (${path}): ${error.message}\n`)
    else if (codeOf(error) !== 'ENOENT') warn(`WARNING: Error loading config file: ${path}: ${messageOf(error)}\n`)
    return {}
  }
}

/** What our fields have to be, by Go's names of the types. */
const fieldTypes: Readonly<Record<string, string>> = {
  detachKeys: 'string',
  psFormat: 'string',
  imagesFormat: 'string',
  statsFormat: 'string',
  networksFormat: 'string',
  volumesFormat: 'string',
  pluginsFormat: 'string',
  currentContext: 'string',
  pruneFilters: '[]string',
  cliPluginsExtraDirs: '[]string',
  HttpHeaders: 'map[string]string',
  aliases: 'map[string]string',
  proxies: 'map[string]configfile.ProxyConfig',
  plugins: 'map[string]map[string]string',
}

/** Leaves out fields of other types, and says so in docker's words of the first. */
function keepWellTyped(config: ConfigFile): { readonly config: ConfigFile; readonly problem: string | undefined } {
  const isBad = ([name, value]: readonly [string, unknown]): boolean =>
    Object.hasOwn(fieldTypes, name) && value !== null && !isOfType(value, fieldTypes[name] ?? '')
  const entries = Object.entries(config)
  const bad = entries.find(isBad)
  if (bad === undefined) return { config, problem: undefined }
  const [name, value] = bad
  const problem = `json: cannot unmarshal ${jsonKind(value)} into Go struct field ConfigFile.${name} of type ${fieldTypes[name]}`
  return { config: Object.fromEntries(entries.filter((entry) => !isBad(entry))), problem }
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'string') return typeof value === 'string'
  if (type.startsWith('[]')) return Array.isArray(value) && value.every((item) => isOfType(item, type.slice(2)))
  if (jsonKind(value) !== 'object') return false
  const element = type.replace('map[string]', '')
  const inner = element === 'configfile.ProxyConfig' ? 'map[string]string' : element
  return Object.values(value as object).every((item) => isOfType(item, inner))
}

const jsonKind = (value: unknown): string =>
  Array.isArray(value) ? 'array' : value === true || value === false ? 'bool' : typeof value

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
