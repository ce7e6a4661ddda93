import { invalid, type Logger } from '@berth/base'
import { writeSync } from 'node:fs'
import { pino } from 'pino'
import type { Config } from './config/config.ts'

export interface DaemonLogger extends Logger {
  setLevel(level: string): void
}

const levels = ['debug', 'info', 'warn', 'error', 'fatal']
const formats = ['text', 'json']

/** Throws `invalid` in Docker's words. */
export function logLevel(config: Config): string {
  const level = config.get('log-level', '') || 'info'
  if (!levels.includes(level)) throw invalid(`invalid logging level: ${level}`)
  return config.get('debug', false) ? 'debug' : level
}

/** Throws `invalid` in Docker's words. */
export function logFormat(config: Config): string {
  const format = config.get('log-format', '') || 'text'
  if (!formats.includes(format)) throw invalid(`invalid log format: ${format}`)
  return format
}

/** Logs to standard error: `text` is logfmt, as dockerd's; `json` is an object a line. */
export function createLogger(level: string, format: string): DaemonLogger {
  const write = format === 'json' ? writeLine : (line: string) => writeLine(formatText(JSON.parse(line) as Fields))
  const log = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (name) => ({ level: name }) } },
    { write },
  )
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    if (log.isLevelEnabled(level)) log[level](plain(fields), message)
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    setLevel: (next) => void (log.level = next),
  }
}

type Fields = Record<string, unknown>

/** Errors become their messages, with the stack of what is no user's doing. */
function plain(fields: object): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      value instanceof Error ? (value.stack ?? value.message) : value,
    ]),
  )
}

function formatText({ level, time, msg, ...fields }: Fields): string {
  const pairs = Object.entries({ time, level, msg, ...fields })
  return `${pairs.map(([key, value]) => `${key}=${quote(value)}`).join(' ')}\n`
}

function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[\w.:/+@-]+$/.test(text ?? '') ? text : JSON.stringify(text ?? '')
}

/** A log that nobody can take (a closed pipe, a full disk) is no reason to fail. */
function writeLine(line: string): void {
  try {
    writeSync(2, line)
  } catch {
    // There is no other place to say it.
  }
}
