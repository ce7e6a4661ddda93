import type { TypedAttributes } from '@berth/buildkit-client'
import { splitCsv } from '@berth/base'
import { parseFields } from './fields.ts'

/** `--cache-from` and `--cache-to`: `type=...,key=value`, or names of images. */
export function parseCache(text: string): TypedAttributes[] {
  const fields = splitCsv(text)
  if (fields.every((field) => !field.includes('='))) {
    return fields.map((ref) => ({ type: 'registry', attrs: { ref } }))
  }
  const attrs: Record<string, string> = {}
  let type = ''
  for (const { key, value } of parseFields(text, (field) => `invalid value ${field}`)) {
    if (key === 'type') type = value
    else attrs[key] = value
  }
  if (type === '') throw new Error(`type required form> ${JSON.stringify(text)}`)
  return [{ type, attrs }]
}
