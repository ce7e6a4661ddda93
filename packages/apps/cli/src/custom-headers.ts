import { splitCsv } from '@berth/base'
import type { ConfigFile } from './config-file.ts'

const variable = 'DOCKER_CUSTOM_HEADERS'

/**
 * The headers of all requests to the engine: `name=value` pairs, comma-separated, of DOCKER_CUSTOM_HEADERS, or without it
 * those of config.json. Throws an Error in docker's words if the variable is malformed, or a header is not HTTP's.
 */
export function customHeaders(
  env: Readonly<Record<string, string | undefined>>,
  config: ConfigFile,
): Readonly<Record<string, string>> | undefined {
  const text = env[variable] ?? ''
  const headers = text === '' ? config.HttpHeaders : Object.fromEntries(fieldsOf(text).map(parsePair))
  if (headers !== undefined) checkHeaders(headers)
  return headers
}

/** A header that HTTP does not have would end up as another, or as none. */
function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name))
      throw new Error(`net/http: invalid header field name ${JSON.stringify(name)}`)
    if (/[^\t\P{Cc}]/u.test(value)) throw new Error(`net/http: invalid header field value for ${JSON.stringify(name)}`)
  }
}

function fieldsOf(text: string): string[] {
  try {
    return splitCsv(text)
  } catch (error) {
    const reason = 'value must be formatted as comma-separated key=value pairs'
    throw new Error(`failed to parse custom headers from ${variable} environment variable: ${reason}`, { cause: error })
  }
}

function parsePair(pair: string): [name: string, value: string] {
  const equals = pair.indexOf('=')
  const name = equals < 0 ? pair : pair.slice(0, equals)
  if (name.trim() === '') throw refusal(`value contains a key=value pair with an empty key: '${pair}'`)
  if (equals < 0) throw refusal(`missing "=" in key=value pair: '${pair}'`)
  return [name.trim(), pair.slice(equals + 1)]
}

const refusal = (reason: string): Error =>
  new Error(`failed to set custom headers from ${variable} environment variable: ${reason}`)
