import { invalid } from '@berth/base'

/** Which checks are done, and whether a warning fails the build. */
export interface CheckOptions {
  readonly skips: 'all' | readonly string[]
  readonly experimental: 'all' | readonly string[]
  readonly isError: boolean
}

/** Reads `skip=A,B;experimental=C;error=true`: https://docs.docker.com/reference/dockerfile/#check. Throws `invalid`. */
export function parseCheckOptions(text: string): CheckOptions {
  let options: CheckOptions = { skips: [], experimental: [], isError: false }
  for (const part of text.trim() === '' ? [] : text.trim().split(';')) {
    const equals = part.indexOf('=')
    if (equals < 0) throw invalid(`invalid check option ${JSON.stringify(part)}`)
    const [key, value] = [part.slice(0, equals), part.slice(equals + 1).trim()]
    if (key === 'skip') options = { ...options, skips: listOf(value) }
    else if (key === 'experimental') options = { ...options, experimental: listOf(value) }
    else if (key === 'error') options = { ...options, isError: booleanOf(value, part) }
    else throw invalid(`invalid check option ${JSON.stringify(key.trim())}`)
  }
  return options
}

const listOf = (value: string): 'all' | string[] =>
  value === 'all' ? 'all' : value.split(',').map((one) => one.trim())

function booleanOf(value: string, part: string): boolean {
  if (/^(?:1|t|T|true|TRUE|True)$/.test(value)) return true
  if (/^(?:0|f|F|false|FALSE|False)$/.test(value)) return false
  throw invalid(
    `failed to parse check option ${JSON.stringify(part)}: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
  )
}
