import { ownValue, parseGoBool } from '@berth/base'
import {
  type Attestation,
  canonicalAttestation,
  EntryError,
  parseAttestation,
  parseCaches,
  type Secret,
  type SshForward,
} from '../definition/entries.ts'
import type { Target, TargetFields } from '../definition/target.ts'
import { binarySize, parseBytes } from './byte-size.ts'
import { ComposeError, ConsistencyError } from './compose-error.ts'
import { parseDotEnv } from './dot-env.ts'
import { asList, asMapping, asPairs, asText, asTexts, longBuild, type Mapping } from './mapping.ts'
import type { ComposeSurroundings } from './parse-compose.ts'
import { extendByBake } from './x-bake.ts'

interface Around extends ComposeSurroundings {
  readonly secrets: Mapping
}

const known = new Set(
  (
    'context dockerfile dockerfile_inline args ssh cache_from cache_to additional_contexts extra_hosts isolation ' +
    'privileged labels no_cache no_cache_filter pull network provenance sbom entitlements secrets shm_size tags target ' +
    'ulimits platforms'
  ).split(' '),
)

/** The target that a service's `build` is; undefined when it has none. */
export function serviceTarget(service: string, given: Mapping, around: Around): Target | undefined {
  if (given['build'] === undefined || given['build'] === null) return undefined
  const name = service.replaceAll('.', '_')
  if (!/^[a-zA-Z0-9_-]+$/.test(name)) {
    throw new ComposeError(`invalid service name ${JSON.stringify(name)}: only "[a-zA-Z0-9_-]+" are allowed`)
  }
  const build = longBuild(given['build'])
  const where = `services.${service}.build`
  for (const key of Object.keys(build)) {
    if (!known.has(key) && !key.startsWith('x-')) {
      throw new ComposeError(`${where} additional properties '${key}' not allowed`)
    }
  }
  const fields = withoutUndefined({ ...plainFields(build, where), ...builtFields(build, given, where, around) })
  const extended = extendByBake(fields, asMapping(build['x-bake'], `${where}.x-bake`), `${where}.x-bake`)
  const image = given['image']
  const hasTags = (extended.tags ?? []).length > 0
  const tags = hasTags || image === undefined ? extended.tags : [asText(image, `services.${service}.image`)]
  return { name, fields: withoutUndefined({ ...extended, tags }) }
}

type Loose = { readonly [Name in keyof TargetFields]: TargetFields[Name] | undefined }

const withoutUndefined = (fields: Loose): TargetFields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

function plainFields(build: Mapping, where: string): Loose {
  const text = (key: string): string | undefined => {
    const value = build[key]
    return value === undefined || value === null || value === '' ? undefined : asText(value, `${where}.${key}`)
  }
  const texts = (key: string): string[] | undefined =>
    build[key] === undefined ? undefined : asTexts(build[key], `${where}.${key}`)
  const isOn = (key: string): true | undefined =>
    build[key] === true || parseGoBool(text(key) ?? '') === true ? true : undefined
  return {
    context: text('context'),
    dockerfile: text('dockerfile'),
    'dockerfile-inline': text('dockerfile_inline'),
    target: text('target'),
    network: text('network'),
    tags: texts('tags'),
    platforms: texts('platforms'),
    'no-cache': isOn('no_cache'),
    pull: isOn('pull'),
  }
}

function builtFields(build: Mapping, service: Mapping, where: string, around: Around): Loose {
  const caches = (key: string) => {
    const found = asTexts(build[key], `${where}.${key}`).flatMap(parseCaches)
    return found.length === 0 ? undefined : found
  }
  const shm = build['shm_size']
  return {
    contexts: contextsOf(build, where),
    args: argsOf(build, service, where, around),
    labels: new Map(asPairs(build['labels'], `${where}.labels`).map(([name, value]) => [name, value ?? ''])),
    'cache-from': caches('cache_from'),
    'cache-to': caches('cache_to'),
    'extra-hosts': new Map(hostsOf(build['extra_hosts'], `${where}.extra_hosts`)),
    secret: secretsOf(build, where, around.secrets),
    ssh: sshOf(build['ssh'], `${where}.ssh`),
    'shm-size': shm === undefined ? undefined : binarySize(parseBytes(asText(shm, `${where}.shm_size`))),
    ulimits: ulimitsOf(build['ulimits'], `${where}.ulimits`),
    attest: attestationsOf(build, where),
  }
}

/** A context of another service is the result of its target. */
export function buildkitContext(context: string): string {
  const linked = /^(?:service|target):(.*)$/s.exec(context)
  return linked === null ? context : `target:${linked[1]!.replaceAll('.', '_')}`
}

function contextsOf(build: Mapping, where: string): Map<string, string> | undefined {
  const pairs = asPairs(build['additional_contexts'], `${where}.additional_contexts`)
  if (pairs.length === 0) return undefined
  return new Map(pairs.map(([name, value]) => [name, buildkitContext(value ?? '')]))
}

/** An arg without a value has that of the service's environment, or of ours. */
function argsOf(build: Mapping, service: Mapping, where: string, around: Around): Map<string, string> | undefined {
  const own = asPairs(service['environment'], 'environment')
  const environment = new Map([...fileVariables(service['env_file'], around), ...own])
  const args = new Map<string, string>()
  for (const [name, value] of asPairs(build['args'], `${where}.args`)) {
    const resolved = value ?? environment.get(name) ?? around.lookup(name)
    if (resolved !== undefined) args.set(name, resolved)
  }
  return args.size === 0 ? undefined : args
}

/** The variables of `env_file`: a path, or several, each perhaps with `required: false`. */
function fileVariables(node: unknown, { readText }: Around): [string, string | undefined][] {
  if (node === undefined || node === null) return []
  return (Array.isArray(node) ? (node as unknown[]) : [node]).flatMap((one) => {
    const { path, required } = typeof one === 'string' ? { path: one, required: true } : asMapping(one, 'env_file')
    const file = asText(path, 'env_file')
    const text = readText(file)
    if (text !== undefined) return [...parseDotEnv(text)]
    if (required === false) return []
    throw new ComposeError(`env file ${file} not found: stat ${file}: no such file or directory`)
  })
}

function hostsOf(node: unknown, where: string): [string, string][] {
  if (!Array.isArray(node)) {
    return Object.entries(asMapping(node, where)).map(([host, address]) => [
      host,
      (Array.isArray(address) ? asTexts(address, where) : [asText(address, where)]).join(','),
    ])
  }
  return asTexts(node, where).map((text) => {
    const at = text.includes('=') ? text.indexOf('=') : text.indexOf(':')
    if (at === -1) throw new ComposeError(`bad host name '${text}'`)
    return [text.slice(0, at), text.slice(at + 1)]
  })
}

function secretsOf(build: Mapping, where: string, all: Mapping): Secret[] | undefined {
  const given = asList(build['secrets'], `${where}.secrets`)
  if (given.length === 0) return undefined
  return given.map((one) => {
    const id =
      typeof one === 'string' ? one : asText(asMapping(one, `${where}.secrets`)['source'], `${where}.secrets.source`)
    const secret = ownValue(all, id)
    if (secret === undefined)
      throw new ConsistencyError(
        `service ${JSON.stringify(where.split('.')[1])} refers to undefined build secret ${id}: invalid compose project`,
      )
    const { file, environment, external } = asMapping(secret, `secrets.${id}`)
    if (external === true) throw new ComposeError(`unsupported external secret ${id}`)
    return {
      id,
      src: file === undefined ? '' : asText(file, `secrets.${id}.file`),
      env: environment === undefined ? '' : asText(environment, `secrets.${id}.environment`),
    }
  })
}

function sshOf(node: unknown, where: string): SshForward[] | undefined {
  const pairs = typeof node === 'string' ? [[node, undefined] as const] : asPairs(node, where)
  if (pairs.length === 0) return undefined
  return pairs
    .map(([id, path]): SshForward => ({ id, paths: path === undefined ? [] : [path] }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

function ulimitsOf(node: unknown, where: string): string[] | undefined {
  const entries = Object.entries(asMapping(node, where))
  if (entries.length === 0) return undefined
  return entries.map(([name, limit]) => {
    if (typeof limit === 'number' || typeof limit === 'string') return `${name}=${limit}:${limit}`
    const { soft, hard } = asMapping(limit, `${where}.${name}`)
    return `${name}=${asText(soft, `${where}.${name}.soft`)}:${asText(hard, `${where}.${name}.hard`)}`
  })
}

function attestationsOf(build: Mapping, where: string): Attestation[] | undefined {
  const found = (['sbom', 'provenance'] as const).flatMap((type) => {
    const text = build[type] === undefined ? '' : asText(build[type], `${where}.${type}`)
    return text === '' ? [] : [canonicalAttestation(type, text)]
  })
  try {
    return found.length === 0 ? undefined : found.map(parseAttestation)
  } catch (error) {
    if (error instanceof EntryError) throw new ComposeError(error.message)
    throw error
  }
}
