import { readFileSync } from 'node:fs'
import { codeOf } from '@berth/base'

/** The last error in an OCI runtime's log, or undefined when it logged none. */
export function readRuntimeError(logFile: string): string | undefined {
  try {
    return lastError(readFileSync(logFile, 'utf8'))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function lastError(log: string): string | undefined {
  const lines = log.split('\n').filter(Boolean)
  const errors = lines.map(parseEntry).filter(({ level }) => level === 'error' || level === 'fatal')
  return errors.at(-1)?.msg ?? lines.at(-1)
}

function parseEntry(line: string): { readonly level?: unknown; readonly msg?: string } {
  try {
    const entry = JSON.parse(line) as { level?: unknown; msg?: unknown } | null
    return { level: entry?.level, msg: typeof entry?.msg === 'string' ? entry.msg : line }
  } catch {
    return {}
  }
}
