import type { CallSpec } from '../build-request.ts'
import { parseFields, readBoolean } from './fields.ts'

/** `--call NAME[,format=json][,ignorestatus=BOOL]`; undefined is a build. */
export function parseCall(text: string): CallSpec | undefined {
  const [first = '', ...rest] = text.split(',')
  let [name, format, ignoresStatus] = [first, '', false]
  for (const { key, value } of rest.length === 0
    ? []
    : parseFields(rest.join(','), (field) => `invalid value ${field}`)) {
    if (key === 'format') format = value
    else if (key === 'ignorestatus') ignoresStatus = readBoolean(value) ?? false
    else throw new Error(`invalid call key ${JSON.stringify(key)}`)
  }
  if (name === 'check') name = 'lint'
  return name === '' || name === 'build' ? undefined : { name, format, ignoresStatus }
}
