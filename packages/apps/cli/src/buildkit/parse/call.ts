import { splitCsv } from '@berth/base'
import type { CallSpec } from '../build-request.ts'
import { requireBoolean } from './fields.ts'

/** `--call NAME[,format=json][,ignorestatus=BOOL]`; undefined is a build. Throws an Error in buildx's words. */
export function parseCall(text: string): CallSpec | undefined {
  let [name, format, ignoresStatus] = ['', '', false]
  for (const field of text === '' ? [] : splitCsv(text)) {
    const equals = field.indexOf('=')
    const [key, value] = equals < 0 ? ['', field] : [field.slice(0, equals), field.slice(equals + 1)]
    if (key === 'format') format = value
    else if (key === 'ignorestatus') ignoresStatus = requireBoolean(value, `invalid ignorestatus print value: ${value}`)
    else if (equals >= 0) throw new Error(`invalid print field: ${field}`)
    else if (name !== '') throw new Error(`invalid print value: ${text}`)
    else name = field
  }
  if (name === 'check') name = 'lint'
  return name === '' || name === 'build' ? undefined : { name, format, ignoresStatus }
}
