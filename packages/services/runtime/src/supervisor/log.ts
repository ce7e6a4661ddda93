/** The supervisor's own log: JSON lines on stderr, which berthd made a file. */
export function logLine(level: 'info' | 'warn' | 'error', fields: object, message: string): void {
  process.stderr.write(`${JSON.stringify({ level, time: new Date().toISOString(), ...fields, msg: message })}\n`)
}

export const warn = (fields: object, message: string): void => logLine('warn', fields, message)
