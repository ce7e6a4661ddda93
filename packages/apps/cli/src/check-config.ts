import { messageOf, ownValue } from '@berth/base'
import { parseJson } from '@berth/engine-api'
import type { ConfigFile } from './config-file.ts'

/** A Go type of docker's config.json: what its JSON has to be. */
interface GoShape {
  readonly name: string
  readonly kind: 'string' | 'array' | 'object'
  /** What each element or value is. */
  readonly element?: GoShape
  readonly fields?: Readonly<Record<string, GoShape>>
}

const string: GoShape = { name: 'string', kind: 'string' }
const strings: GoShape = { name: '[]string', kind: 'array', element: string }
const mapOf = (element: GoShape): GoShape => ({ name: `map[string]${element.name}`, kind: 'object', element })

function structOf(name: string, ...fields: readonly string[]): GoShape {
  return { name, kind: 'object', fields: Object.fromEntries(fields.map((field) => [field, string])) }
}

const proxy = structOf('configfile.ProxyConfig', 'httpProxy', 'httpsProxy', 'noProxy', 'ftpProxy', 'allProxy')
const auth = structOf(
  'types.AuthConfig',
  'username',
  'password',
  'auth',
  'email',
  'serveraddress',
  'identitytoken',
  'registrytoken',
)

/** ConfigFile of cli/config/configfile/file.go. */
const shapes: Readonly<Record<string, GoShape>> = {
  ...structOf(
    'ConfigFile',
    'psFormat',
    'imagesFormat',
    'networksFormat',
    'pluginsFormat',
    'volumesFormat',
    'statsFormat',
    'detachKeys',
    'credsStore',
    'serviceInspectFormat',
    'servicesFormat',
    'tasksFormat',
    'secretFormat',
    'configFormat',
    'nodesFormat',
    'currentContext',
    'experimental',
  ).fields,
  auths: mapOf(auth),
  HttpHeaders: mapOf(string),
  credHelpers: mapOf(string),
  pruneFilters: strings,
  proxies: mapOf(proxy),
  cliPluginsExtraDirs: strings,
  plugins: mapOf(mapOf(string)),
  aliases: mapOf(string),
  features: mapOf(string),
}

/**
 * The configuration that `text` is, without the fields of other types than docker's, and what is wrong first, in its words.
 * In docker's own fields no null is left.
 */
export function checkConfig(text: string): { readonly config: ConfigFile; readonly problem: string | undefined } {
  let value: unknown
  try {
    value = parseJson(text)
  } catch (error) {
    return { config: {}, problem: messageOf(error).replace('invalid JSON: ', '') }
  }
  if (value === null) return { config: {}, problem: undefined }
  const kind = jsonKind(value)
  if (kind !== 'object') {
    return { config: {}, problem: `json: cannot unmarshal ${kind} into Go value of type configfile.ConfigFile` }
  }
  return keepWellTyped(value as ConfigFile)
}

function keepWellTyped(config: ConfigFile): { readonly config: ConfigFile; readonly problem: string | undefined } {
  const problems = new Map<string, string>()
  for (const [field, value] of Object.entries(config)) {
    const shape = ownValue(shapes, field)
    const problem = shape && mismatch(value, shape, field)
    if (problem !== undefined) problems.set(field, problem)
  }
  const [first] = problems.values()
  const kept = Object.fromEntries(Object.entries(config).filter(([field]) => !problems.has(field)))
  const decoded = decodeMembers(kept, { name: 'configfile.ConfigFile', kind: 'object', fields: shapes })
  return { config: decoded, problem: first ?? authProblem((decoded as { auths?: Auths }).auths ?? {}) }
}

/** What a well-typed value is to encoding/json: a null is nothing, and in a map or an array the empty value of its type. */
function decode(value: unknown, shape: GoShape): unknown {
  if (shape.kind === 'string') return value ?? ''
  if (shape.kind === 'object') return decodeMembers(value ?? {}, shape)
  return ((value ?? []) as readonly unknown[]).map((inner) => (shape.element ? decode(inner, shape.element) : inner))
}

function decodeMembers(value: object, { fields, element }: GoShape): object {
  const members = Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const field = ownValue(fields ?? {}, key)
    if (field && inner === null) return []
    const shape = field ?? element
    return [[key, shape ? decode(inner, shape) : inner] as const]
  })
  return Object.fromEntries(members)
}

/** What encoding/json says of a value that is not of its field's type; undefined when it is. */
function mismatch(value: unknown, shape: GoShape, path: string): string | undefined {
  const kind = jsonKind(value)
  if (value === null) return undefined
  if (kind !== shape.kind) {
    return `json: cannot unmarshal ${kind} into Go struct field ConfigFile.${path} of type ${shape.name}`
  }
  if (kind === 'string') return undefined
  for (const [key, inner] of Object.entries(value as object)) {
    const expected = ownValue(shape.fields ?? {}, key) ?? shape.element
    const problem = expected === undefined ? undefined : mismatch(inner, expected, `${path}.${key}`)
    if (problem !== undefined) return problem
  }
  return undefined
}

const jsonKind = (value: unknown): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value

type Auths = Readonly<Record<string, { readonly auth?: string } | null>>

/** `auth` is base64 of `user:password`. Its content is in no message. */
function authProblem(auths: Auths): string | undefined {
  for (const entry of Object.values(auths)) {
    const encoded = entry?.auth ?? ''
    const foreign = encoded.search(/[^A-Za-z0-9+/=\r\n]/)
    if (foreign >= 0) return `illegal base64 data at input byte ${foreign}`
    if (encoded !== '' && !Buffer.from(encoded, 'base64').includes(':')) return 'Invalid auth configuration file'
  }
  return undefined
}
