import { splitCsv } from '@berth/base'
import { readFileSync } from 'node:fs'
import type { Cli } from '../cli.ts'
import type { Flag } from '../flags/flag.ts'
import { readFailure } from '../options/key-values.ts'
import { type Context, defaultContextName, readContext, readTlsFiles, type TlsFiles } from './context-store.ts'
import { defaultContext } from './default-context.ts'

type EndpointFields = Readonly<Record<string, string>>

/** `--docker host=tcp://h:2376,ca=...`. */
export const endpointFlag: Flag<EndpointFields> = {
  name: 'docker',
  placeholder: 'stringToString',
  help: 'set the docker endpoint (default [])',
  initial: {},
  parse: (text, previous) => ({ ...previous, ...parseFields(text) }),
}

export const endpointHelp = `Docker endpoint config:

NAME                DESCRIPTION
from                Copy the endpoint of the context of this name
host                Where the engine listens
ca                  Trust certificates signed by this CA only
cert                Path to the client's certificate
key                 Path to the client's key
skip-tls-verify     Do not check the engine's certificate`

function parseFields(text: string): EndpointFields {
  return Object.fromEntries(
    splitCsv(text).map((field) => {
      const equals = field.indexOf('=')
      if (equals < 0) throw new Error(`${field} must be formatted as key=value`)
      return [field.slice(0, equals), field.slice(equals + 1)]
    }),
  )
}

export interface EndpointConfig {
  readonly endpoint: NonNullable<Context['Endpoints']['docker']>
  readonly tls: TlsFiles
}

const known = new Set(['from', 'host', 'ca', 'cert', 'key', 'skip-tls-verify'])

/** The endpoint that the fields describe; throws an Error in docker's words. */
export function buildEndpoint(cli: Cli, fields: EndpointFields): EndpointConfig {
  try {
    const unknown = Object.keys(fields).find((key) => !known.has(key))
    if (unknown !== undefined) throw new Error(`unrecognized config key: ${unknown}`)
    if (fields['from'] !== undefined) return copyEndpoint(cli, fields['from'])
    const endpoint = { Host: fields['host'] ?? '', SkipTLSVerify: parseSkip(fields['skip-tls-verify'] ?? 'false') }
    return { endpoint, tls: readPems(fields) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`unable to create docker endpoint config: ${reason}`, { cause: error })
  }
}

/** The endpoint of a context, with its TLS files. */
export function copyEndpoint(cli: Cli, name: string): EndpointConfig {
  const stored = name === defaultContextName ? defaultContext(cli) : readContext(cli.configDirectory, name)
  const endpoint = stored.Endpoints.docker ?? { Host: '', SkipTLSVerify: false }
  return { endpoint, tls: name === defaultContextName ? {} : readTlsFiles(cli.configDirectory, name) }
}

function readPems(fields: EndpointFields): TlsFiles {
  const pairs = (['ca', 'cert', 'key'] as const).flatMap((key) => {
    const path = fields[key]
    return path === undefined || path === '' ? [] : [[`${key}.pem`, readPem(path)] as const]
  })
  return Object.fromEntries(pairs)
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(readFailure(path, error), { cause: error })
  }
}

function parseSkip(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false
  throw new Error(`skip-tls-verify: parsing ${JSON.stringify(text)}: invalid syntax`)
}
