import { parseBool } from '@berth/bake'
import { splitCsv } from '@berth/base'

/** A way to evaluate a Dockerfile other than building it: `lint`, `outline`, `targets`. */
export interface CallMethod {
  readonly name: string
  readonly format: string
  readonly ignoresStatus: boolean
}

/** The value of `--call`; undefined for building. `check` is the name that users know `lint` by. */
export function parseCall(text: string): CallMethod | undefined {
  if (text === '') return undefined
  const call = { name: '', format: '', ignoresStatus: false }
  for (const field of splitCsv(text)) {
    const at = field.indexOf('=')
    const [key, value] = at === -1 ? [field, ''] : [field.slice(0, at), field.slice(at + 1)]
    if (at === -1) {
      if (call.name !== '') throw new Error(`invalid value ${JSON.stringify(field)}`)
      call.name = field
    } else if (key === 'format') call.format = value
    else if (key === 'ignorestatus') call.ignoresStatus = requireBool(key, value)
    else throw new Error(`invalid value ${JSON.stringify(field)}`)
  }
  const name = call.name === 'check' ? 'lint' : call.name
  return name === 'build' ? undefined : { ...call, name }
}

function requireBool(key: string, value: string): boolean {
  const parsed = parseBool(value)
  if (parsed === undefined) throw new Error(`invalid ${key} value ${JSON.stringify(value)}`)
  return parsed
}
