import { invalid, ownValue, parseGoBool } from '@berth/base'
import type { Ulimit } from '@berth/engine-api'
import { resolve } from 'node:path'
import { keyOf, type OptionSpec } from './options.ts'

export interface RuntimeEntry {
  readonly path: string
  readonly runtimeArgs?: readonly string[]
}
export interface AddressPoolEntry {
  readonly base: string
  readonly size: number
}
export type OptionValue =
  | string
  | boolean
  | number
  | readonly string[]
  | Readonly<Record<string, string>>
  | Readonly<Record<string, boolean>>
  | Readonly<Record<string, Ulimit>>
  | Readonly<Record<string, RuntimeEntry>>
  | readonly AddressPoolEntry[]
  | BuilderEntry
  | Readonly<Record<string, Readonly<Record<string, string>>>>

export interface GcRuleEntry {
  readonly all?: boolean
  readonly filter?: readonly string[]
  readonly keepStorage?: string
  readonly reservedSpace?: string
  readonly maxUsedSpace?: string
  readonly minFreeSpace?: string
}
/** `builder` of daemon.json. */
export interface BuilderEntry {
  readonly gc?: {
    readonly enabled?: boolean
    readonly defaultKeepStorage?: string
    readonly defaultReservedSpace?: string
    readonly defaultMaxUsedSpace?: string
    readonly defaultMinFreeSpace?: string
    readonly policy?: readonly GcRuleEntry[]
  }
  readonly history?: { readonly maxAge?: string | number; readonly maxEntries?: number }
  readonly entitlements?: { readonly 'network-host'?: boolean; readonly 'security-insecure'?: false }
}

/** Values by the options' daemon.json keys. */
export type OptionValues = Readonly<Record<string, OptionValue>>

/** One option's value from the texts given for its flag, in order. Throws `invalid` naming the flag. */
export function parseFlagTexts(spec: OptionSpec, texts: readonly string[]): OptionValue {
  const last = texts.at(-1) ?? ''
  switch (spec.kind) {
    case 'string':
      return last
    case 'path':
      return absolutePath(spec, last)
    case 'program':
      return absoluteProgram(last)
    case 'boolean':
      return parseBoolean(spec, last)
    case 'integer':
      return parseInteger(spec, last)
    case 'list':
      return texts
    case 'map':
      return Object.fromEntries(texts.map((text) => splitPair(spec, text)))
    case 'ulimits':
      return Object.fromEntries(texts.map((text) => parseUlimit(spec, text)))
    case 'address-pools':
      return texts.map((text) => parseAddressPool(spec, text))
    case 'network-opts':
      return parseNetworkOptions(spec, texts)
    case 'features':
      return parseFeatures(spec, texts)
    case 'builder':
      throw invalid(`--${spec.flag} is an option of daemon.json`)
    case 'runtimes':
      return absoluteRuntimes(
        Object.fromEntries(texts.map((text) => splitPair(spec, text)).map(([name, path]) => [name, { path }])),
      )
  }
}

/** One option's value as daemon.json has it. Throws `invalid` naming the key. */
export function checkFileValue(spec: OptionSpec, value: unknown): OptionValue {
  if (!fits(spec, value))
    throw invalid(`daemon.json: ${keyOf(spec)}: want ${wanted[spec.kind]}, not ${JSON.stringify(value)}`)
  if (spec.kind === 'path') return absolutePath(spec, value as string)
  if (spec.kind === 'program') return absoluteProgram(value as string)
  return spec.kind === 'runtimes' ? absoluteRuntimes(value as Record<string, RuntimeEntry>) : (value as OptionValue)
}

const absolutePath = ({ words = [] }: OptionSpec, text: string): string =>
  text === '' || words.includes(text) ? text : resolve(text)

/** A name without a slash is looked up where programs are. */
const absoluteProgram = (path: string): string => (path.includes('/') ? resolve(path) : path)

function absoluteRuntimes(entries: Readonly<Record<string, RuntimeEntry>>): Record<string, RuntimeEntry> {
  const absolute = (entry: RuntimeEntry): RuntimeEntry => ({ ...entry, path: absoluteProgram(entry.path) })
  return Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, absolute(entry)]))
}

const wanted: Readonly<Record<OptionSpec['kind'], string>> = {
  string: 'a string',
  path: 'a string',
  program: 'a string',
  boolean: 'true or false',
  integer: 'a whole number',
  list: 'a list of strings',
  map: 'an object of strings',
  ulimits: 'an object of {"Name", "Soft", "Hard"}',
  'address-pools': 'a list of {"base", "size"}',
  'network-opts': 'an object of options by driver',
  features: 'an object of true or false by name',
  builder: 'an object of {"gc", "history", "entitlements"}',
  runtimes: 'an object of {"path", "runtimeArgs"}',
}

function fits(spec: OptionSpec, value: unknown): boolean {
  switch (spec.kind) {
    case 'string':
    case 'path':
    case 'program':
      return typeof value === 'string'
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
      return Number.isSafeInteger(value)
    case 'list':
      return isStringList(value)
    case 'map':
      return isObject(value) && Object.values(value).every((item) => typeof item === 'string')
    case 'ulimits':
      return isObject(value) && Object.values(value).every(isUlimit)
    case 'address-pools':
      return Array.isArray(value) && value.every(isAddressPool)
    case 'network-opts':
      return isObject(value) && Object.values(value).every(isTextMap)
    case 'features':
      return isObject(value) && Object.values(value).every(isFlag)
    case 'builder':
      return isBuilderEntry(value)
    case 'runtimes':
      return isObject(value) && Object.values(value).every(isRuntimeEntry)
  }
}

/** Whether every member is known and fits. */
const isShape = (value: unknown, members: Readonly<Record<string, (member: unknown) => boolean>>): boolean =>
  isObject(value) && Object.entries(value).every(([name, member]) => ownValue(members, name)?.(member) === true)
const isText = (value: unknown): boolean => typeof value === 'string'
const isFlag = (value: unknown): boolean => typeof value === 'boolean'

/** `48h`, or seconds. */
const isAge = (value: unknown): boolean => isText(value) || (Number.isSafeInteger(value) && (value as number) >= 0)

const gcRule = {
  all: isFlag,
  filter: (value: unknown) => isStringList(value),
  keepStorage: isText,
  reservedSpace: isText,
  maxUsedSpace: isText,
  minFreeSpace: isText,
}
const gc = {
  enabled: isFlag,
  defaultKeepStorage: isText,
  defaultReservedSpace: isText,
  defaultMaxUsedSpace: isText,
  defaultMinFreeSpace: isText,
  policy: (value: unknown) => Array.isArray(value) && value.every((rule) => isShape(rule, gcRule)),
}
/** https://docs.docker.com/build/cache/garbage-collection/ */
const isBuilderEntry = (value: unknown): boolean =>
  isShape(value, {
    gc: (member) => isShape(member, gc),
    history: (member) => isShape(member, { maxAge: isAge, maxEntries: (value) => Number.isSafeInteger(value) }),
    entitlements: (member) => isShape(member, { 'network-host': isFlag, 'security-insecure': (on) => on === false }),
  })

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isTextMap = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every((item) => typeof item === 'string')
const isAddressPool = (value: unknown): boolean =>
  isObject(value) && typeof value['base'] === 'string' && Number.isSafeInteger(value['size'])
const isStringList = (value: unknown): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')

function isUlimit(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value['Name'] === 'string' &&
    Number.isSafeInteger(value['Soft']) &&
    Number.isSafeInteger(value['Hard'])
  )
}

function isRuntimeEntry(value: unknown): boolean {
  const args = isObject(value) ? value['runtimeArgs'] : undefined
  return isObject(value) && typeof value['path'] === 'string' && (args === undefined || isStringList(args))
}

function parseBoolean(spec: OptionSpec, text: string): boolean {
  const parsed = parseGoBool(text)
  if (parsed !== undefined) return parsed
  throw invalid(
    `invalid argument "${text}" for "--${spec.flag}" flag: strconv.ParseBool: parsing "${text}": invalid syntax`,
  )
}

function parseInteger(spec: OptionSpec, text: string): number {
  if (!/^[+-]?\d{1,15}$/.test(text)) {
    throw invalid(
      `invalid argument "${text}" for "--${spec.flag}" flag: strconv.ParseInt: parsing "${text}": invalid syntax`,
    )
  }
  return Number(text)
}

function splitPair(spec: OptionSpec, text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw invalid(`invalid argument "${text}" for "--${spec.flag}" flag: invalid key=value pair`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** `base=10.10.0.0/16,size=24` */
function parseAddressPool(spec: OptionSpec, text: string): AddressPoolEntry {
  const [, base = '', size = ''] = /^base=([^,=]+),size=(\d+)$/.exec(text.replaceAll(' ', '')) ?? []
  if (base === '') throw invalid(`invalid argument "${text}" for "--${spec.flag}" flag: want base=CIDR,size=BITS`)
  return { base, size: Number(size) }
}

/** `bridge=com.docker.network.driver.mtu=1400` */
function parseNetworkOptions(spec: OptionSpec, texts: readonly string[]): Record<string, Record<string, string>> {
  const byDriver = new Map<string, Record<string, string>>()
  for (const text of texts) {
    const [driver, rest] = splitPair(spec, text)
    const [option, value] = splitPair(spec, rest)
    byDriver.set(driver, { ...byDriver.get(driver), [option]: value })
  }
  return Object.fromEntries(byDriver)
}

/** `buildkit`, or `buildkit=false`. */
function parseFeatures(spec: OptionSpec, texts: readonly string[]): Record<string, boolean> {
  const pairs = texts.map((text) => (text.includes('=') ? splitPair(spec, text) : ([text, 'true'] as const)))
  return Object.fromEntries(pairs.map(([name, value]) => [name, parseBoolean(spec, value)]))
}

function parseUlimit(spec: OptionSpec, text: string): [string, Ulimit] {
  const m = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text)
  if (!m) throw invalid(`invalid argument "${text}" for "--${spec.flag}" flag: invalid ulimit argument: ${text}`)
  const [, name = '', soft, hard = soft] = m
  return [name, { Name: name, Soft: Number(soft), Hard: Number(hard) }]
}
