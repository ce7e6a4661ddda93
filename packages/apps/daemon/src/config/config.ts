import { codeOf, invalid, messageOf } from '@berth/base'
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { keyOf, type OptionSpec, optionSpecs } from './options.ts'
import { checkFileValue, type OptionValue, type OptionValues } from './values.ts'

export const defaultConfigFile = '/etc/berth/daemon.json'

/** A default's type without its being a literal. */
type Widened<T> = T extends string ? string : T extends boolean ? boolean : T extends number ? number : T

/** The daemon's settings, by daemon.json key; typed access with the default beside it. */
export class Config {
  readonly #values: OptionValues

  constructor(values: OptionValues) {
    this.#values = values
  }

  get<T extends OptionValue>(key: string, otherwise: T): Widened<T> {
    return (this.#values[key] ?? otherwise) as Widened<T>
  }

  has(key: string): boolean {
    return this.#values[key] !== undefined
  }

  /** These settings with the reloadable ones as `fresh` has them. */
  reloaded(fresh: Config): Config {
    const values: Record<string, OptionValue> = { ...this.#values }
    for (const key of optionSpecs.filter((spec) => spec.isReloadable).map(keyOf)) {
      const value = fresh.#values[key]
      if (value === undefined) delete values[key]
      else values[key] = value
    }
    return new Config(values)
  }

  /** The settings that `fresh` has otherwise, and that no reload takes. */
  restartKeys(fresh: Config): string[] {
    const keys = optionSpecs.filter((spec) => !spec.isReloadable).map(keyOf)
    return keys.filter((key) => !isDeepStrictEqual(this.#values[key], fresh.#values[key]))
  }
}

/**
 * Flags and daemon.json together. Throws `invalid` for an option given in both, an unknown key, a wrong type, and
 * what Berth refuses.
 */
export function loadConfig(flags: OptionValues): Config {
  const path = (flags['config-file'] as string | undefined) ?? defaultConfigFile
  const file = readConfigFile(path, flags['config-file'] !== undefined)
  const twice = Object.keys(file).filter((key) => flags[key] !== undefined)
  if (twice.length > 0) {
    const named = twice.map((key) => `${key}: (from flag: ${show(flags[key])}, from file: ${show(file[key])})`)
    throw invalid(
      'unable to configure the daemon with file ' +
        `${path}: the following directives are specified both as a flag and in the configuration file: ${named.join(', ')}`,
    )
  }
  const values = { ...file, ...flags }
  for (const spec of optionSpecs) requireSupported(spec, values[keyOf(spec)])
  return new Config(values)
}

const show = (value: OptionValue | undefined): string =>
  typeof value === 'object' ? JSON.stringify(value) : String(value)

function requireSupported(spec: OptionSpec, value: OptionValue | undefined): void {
  if (value === undefined || spec.refusal === undefined || spec.refusal.inert.includes(String(value))) return
  throw invalid(`--${spec.flag}=${show(value)} is refused: ${spec.refusal.reason}`)
}

function readConfigFile(path: string, isRequired: boolean): OptionValues {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && !isRequired) return {}
    throw invalid(`unable to configure the daemon with file ${path}: ${messageOf(error)}`, error)
  }
  if (text.trim() === '') return {}
  return checkFile(path, parseJson(path, text))
}

function parseJson(path: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    throw invalid(`unable to configure the daemon with file ${path}: ${messageOf(error)}`, error)
  }
  throw invalid(`unable to configure the daemon with file ${path}: want a JSON object`)
}

function checkFile(path: string, document: Record<string, unknown>): OptionValues {
  const specs = new Map(optionSpecs.flatMap((spec) => keysOf(spec).map((key) => [key, spec] as const)))
  const unknown = Object.keys(document).filter((key) => !specs.has(key))
  if (unknown.length > 0) {
    throw invalid(
      `unable to configure the daemon with file ${path}: ` +
        `the following directives don't match any configuration option: ${unknown.join(', ')}`,
    )
  }
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => {
      const spec = specs.get(key) as OptionSpec
      if (key === spec.alias && keyOf(spec) in document) throw invalid(`daemon.json: ${key} is ${keyOf(spec)} too`)
      const whole = key === spec.alias && spec.kind === 'list' && typeof value === 'string' ? [value] : value
      return [keyOf(spec), checkFileValue(spec, whole)]
    }),
  )
}

const keysOf = (spec: OptionSpec): string[] => [keyOf(spec), ...(spec.alias === undefined ? [] : [spec.alias])]
