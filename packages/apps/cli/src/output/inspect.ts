import { messageOf } from '@berth/base'
import type { Cli } from '../cli.ts'
import { describeFailure, StatusError } from '../errors.ts'
import { indentJson } from './json-indent.ts'

export type ObjectType = 'container' | 'image' | 'network' | 'volume' | 'plugin' | 'context'

export interface InspectRequest {
  readonly format: string
  /** The object as the engine describes it. */
  readonly fetch: (name: string) => Promise<{ readonly type: ObjectType; readonly text: string }>
}

/** The exit code of a format that cannot be parsed. */
const badFormatCode = 64

/** Prints the objects, as JSON or by a template; what is missing is told at the end. */
export async function inspectAll(cli: Cli, names: readonly string[], { format, fetch }: InspectRequest): Promise<void> {
  const print = format === '' || format === 'json' ? undefined : await templatePrinter(format)
  const found: string[] = []
  const failures: string[] = []
  for (const name of names) {
    try {
      const { type, text } = await fetch(name)
      found.push(print === undefined ? text.trim() : print(type, text))
    } catch (error) {
      failures.push(describeFailure(error))
    }
  }
  cli.out(print === undefined ? formatArray(found, format) : found.length === 0 ? '\n' : `${found.join('\n')}\n`)
  if (failures.length > 0) throw new StatusError(1, failures.join('\n'))
}

function formatArray(texts: readonly string[], format: string): string {
  const array = `[${texts.join(',')}]`
  return format === 'json' ? `${array}\n` : `${indentJson(array)}\n`
}

async function templatePrinter(format: string): Promise<(type: ObjectType, text: string) => string> {
  const { goType, parseTemplate } = await import('@berth/go-template')
  const { zeroValues } = await import('./zero-values.ts')
  const parse = (type: ObjectType, data: unknown) =>
    parseTemplate(format, { missingKey: 'error', zeroValue: zeroValues(type, data) })
  try {
    parse('container', undefined)
  } catch (error) {
    throw new StatusError(badFormatCode, `template parsing error: ${messageOf(error)}`)
  }
  return (type, text) => {
    const data: unknown = JSON.parse(text)
    nameType(type, data, goType)
    try {
      return parse(type, data).execute(data)
    } catch (error) {
      // As docker: what fails on the types that it knows is tried on the plain JSON, and that failure is told.
      const isNamed = type === 'volume'
      return executeUntyped(isNamed ? error : undefined, () => parseTemplate(format, untyped).execute(JSON.parse(text)))
    }
  }
}

const untyped = { missingKey: 'error', isUntyped: true } as const

function executeUntyped(failure: unknown, execute: () => string): string {
  try {
    if (failure !== undefined) throw failure
    return execute()
  } catch (error) {
    throw new Error(`template parsing error: ${messageOf(error)}`, { cause: error })
  }
}

/** Docker tells of a volume's missing field as Go does of a struct's, of others' as of a map's. */
function nameType(type: ObjectType, data: unknown, goType: symbol): void {
  if (type !== 'volume' || typeof data !== 'object' || data === null) return
  Object.defineProperty(data, goType, { value: 'volume.Volume' })
}
