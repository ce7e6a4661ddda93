import type { Definition, ListedVariable } from '@berth/bake'
import { splitCsv } from '@berth/base'

/** What `--list` asks for. */
export interface ListRequest {
  readonly type: 'targets' | 'variables'
  readonly format: 'table' | 'json'
}

export function parseListRequest(text: string): ListRequest {
  const fields = splitCsv(text)
  const given = { type: '', format: 'table' }
  if (fields.length === 1 && fields[0] === text && !text.startsWith('type=')) given.type = text
  else {
    for (const field of fields) {
      const at = field.indexOf('=')
      if (at === -1) throw new Error(`invalid value ${field}`)
      const key = field.slice(0, at).toLowerCase().trim()
      if (key !== 'type' && key !== 'format') throw new Error(`unexpected key '${key}' in '${field}'`)
      given[key] = field.slice(at + 1)
    }
  }
  const { type, format } = given
  if (type !== 'targets' && type !== 'variables') throw new Error(`invalid list type ${JSON.stringify(type)}`)
  if (format !== 'table' && format !== 'json') throw new Error(`invalid list format ${JSON.stringify(format)}`)
  return { type, format }
}

/** Targets and groups by name, but for those that begin with `_`. */
export function listTargets({ groups, targets }: Definition, { format }: ListRequest): string {
  const listed = [
    ...targets.map(({ name, fields }) => ({ name, description: fields.description ?? '' })),
    ...groups.map(({ name, description = '', targets: members }) => ({
      name,
      description: describeGroup(description, [...members].toSorted().join(', ')),
      group: true,
    })),
  ]
    .filter(({ name }) => !name.startsWith('_'))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  if (format === 'json') {
    return toJson(listed.map(({ name, description, ...rest }) => ({ name, ...unlessEmpty({ description }), ...rest })))
  }
  return table([['TARGET', 'DESCRIPTION'], ...listed.map(({ name, description }) => [name, description])])
}

const describeGroup = (description: string, members: string): string =>
  description !== '' && members !== '' ? `${description} (${members})` : description || members

const unlessEmpty = (given: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''))

export function listVariables(variables: readonly ListedVariable[], { format }: ListRequest): string {
  if (format === 'json') {
    return toJson(
      variables.map(({ name, type, description, value }) => ({
        name,
        ...(type === undefined ? {} : { type }),
        ...(description === undefined ? {} : { description }),
        ...(value === undefined ? {} : { value }),
      })),
    )
  }
  const rows = variables.map(({ name, type = '', value = '<null>', description = '' }) => [
    name,
    type,
    value,
    description,
  ])
  return table([['VARIABLE', 'TYPE', 'VALUE', 'DESCRIPTION'], ...rows])
}

const toJson = (listed: unknown): string => `${JSON.stringify(listed, undefined, 2)}\n`

/** Columns as Go's tabwriter aligns them with tabs of eight. */
function table(rows: readonly (readonly string[])[]): string {
  const last = rows[0]!.length - 1
  const widths = rows[0]!.map((_, column) => {
    const longest = Math.max(...rows.map((row) => Array.from(row[column]!).length))
    return Math.ceil((longest + 1) / 8) * 8
  })
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === last ? cell : cell + tabs(widths[column]! - Array.from(cell).length)))
      .join('')
  return rows.map((row) => `${line(row)}\n`).join('')
}

const tabs = (missing: number): string => '\t'.repeat(Math.ceil(missing / 8))
