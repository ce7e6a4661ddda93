import { readFileSync } from 'node:fs'
import { codeOf, ownValue } from '@berth/base'
import { type Flag, list } from '../flags/flag.ts'

/** A repeatable flag whose values are parsed as they come. */
export function parsed<T>(
  spec: string,
  help: string,
  parse: (text: string) => T,
  placeholder = 'list',
): Flag<readonly T[]> {
  const { name, short } = list(spec, help)
  return { name, short, placeholder, help, initial: [], parse: (text, previous) => [...previous, parse(text)] }
}

/** A repeatable `key=value` flag. */
export function keyValues(
  spec: string,
  help: string,
  check: (text: string) => string = (text) => text,
): Flag<Readonly<Record<string, string>>> {
  const { name, short } = list(spec, help)
  const parse = (text: string, previous: Readonly<Record<string, string>>) => ({
    ...previous,
    ...toRecord([check(text)]),
  })
  return { name, short, placeholder: 'map', help, initial: {}, parse }
}

/** `KEY=value` texts as an object; a key without a value is empty. */
export function toRecord(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map(splitPair))
}

export function splitPair(text: string): [key: string, value: string] {
  const equals = text.indexOf('=')
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]
}

/** `-e NAME` takes the value from our environment; a name that is not set there is sent bare. */
export function expandEnvironment(text: string): string {
  const [name] = splitPair(text)
  if (name === '') throw new Error(`invalid environment variable: ${text}`)
  if (text.includes('=')) return text
  const value = ownValue(process.env, name)
  return value === undefined ? text : `${name}=${value}`
}

export function checkLabel(text: string): string {
  if (splitPair(text)[0].trim() === '') throw new Error(`invalid label '${text}': empty name`)
  return text
}

/** The lines of `--env-file`s, then the values of `-e`. */
export function readEnvironment(files: readonly string[], values: readonly string[]): string[] {
  const lookUp = (name: string): string | undefined => ownValue(process.env, name)
  return [...files.flatMap((file) => readPairs(file, lookUp)), ...values]
}

/** The lines of `--label-file`s, then the values of `-l`. */
export function readLabels(files: readonly string[], values: readonly string[]): Record<string, string> {
  return toRecord([...files.flatMap((file) => readPairs(file)), ...values])
}

/** `KEY=value` lines; empty ones and comments are skipped; a bare key is looked up, or stands for itself. */
function readPairs(file: string, lookUp?: (name: string) => string | undefined): string[] {
  const lines = readText(file)
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
  return lines.flatMap((line, index) => {
    const text = line.trimStart()
    if (text === '' || text.startsWith('#')) return []
    return parsePair(text, `${file}' at line ${index + 1}`, lookUp)
  })
}

function parsePair(text: string, where: string, lookUp: ((name: string) => string | undefined) | undefined): string[] {
  const [key, value] = splitPair(text)
  if (key === '') throw new Error(`invalid env file '${where.split("'")[0]}': no variable name on line '${text}'`)
  if (/\s/.test(key))
    throw new Error(`invalid env file '${where.split("'")[0]}': variable '${key}' contains whitespaces`)
  if (text.includes('=')) return [`${key}=${value}`]
  const found = lookUp?.(key)
  return found === undefined ? [] : [`${key}=${found}`]
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const failure = readFailure(file, error)
    throw new Error(codeOf(error) === 'EISDIR' ? `invalid env file (${file}): ${failure}` : failure, { cause: error })
  }
}

/** What Go says of a file that was to be read whole: a directory can be opened, and is not read. */
export function readFailure(path: string, error: unknown): string {
  return `${codeOf(error) === 'EISDIR' ? 'read' : 'open'} ${path}: ${reasonOf(error)}`
}

/** The words of the kernel for a failed open. */
export function reasonOf(error: unknown): string {
  switch (codeOf(error)) {
    case 'ENOENT':
      return 'no such file or directory'
    case 'EACCES':
      return 'permission denied'
    case 'EISDIR':
      return 'is a directory'
    case 'ENOTDIR':
      return 'not a directory'
    default:
      return String(error)
  }
}
