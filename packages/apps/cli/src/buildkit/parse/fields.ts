import { splitCsv } from '@berth/base'

export interface Field {
  /** Lower case. */
  readonly key: string
  readonly value: string
}

/** `a=1,b=2` as fields; `explain` words the error for one that is no pair. */
export function parseFields(text: string, explain: (field: string) => string): Field[] {
  return splitCsv(text).map((field) => {
    const equals = field.indexOf('=')
    if (equals < 0) throw new Error(explain(field))
    return { key: field.slice(0, equals).trim().toLowerCase(), value: field.slice(equals + 1).trim() }
  })
}

/** Go's strconv.ParseBool; undefined for what is none. */
export function readBoolean(text: string): boolean | undefined {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return false
  return undefined
}

/** The same; throws for what is none. */
export function requireBoolean(text: string, what: string): boolean {
  const value = readBoolean(text)
  if (value === undefined)
    throw new Error(`${what}: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
  return value
}
