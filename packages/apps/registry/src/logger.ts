import type { Logger } from '@berth/base'
import { writeSync } from 'node:fs'

const levels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof levels)[number]
export const isLogLevel = (text: string): text is LogLevel => levels.some((level) => level === text)

/** Lines on standard error: `text` is logfmt, `json` an object a line. Values are quoted: no client writes a line of its own. */
export function createLogger(least: LogLevel, format: 'text' | 'json'): Logger {
  const at =
    (level: LogLevel) =>
    (fields: object, message: string): void => {
      if (levels.indexOf(level) < levels.indexOf(least)) return
      const entry = { time: new Date().toISOString(), level, msg: message, ...fields }
      writeLine(format === 'json' ? JSON.stringify(entry) : logfmt(entry))
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

const logfmt = (entry: object): string =>
  Object.entries(entry)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${quote(value)}`)
    .join(' ')

function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return /^[\w.:/+@-]+$/.test(text) ? text : JSON.stringify(text)
}

/** A log that nobody can take (a closed pipe, a full disk) is no reason to fail. */
function writeLine(line: string): void {
  try {
    writeSync(2, `${line}\n`)
  } catch {
    // There is no other place to say it.
  }
}
