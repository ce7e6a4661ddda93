import { invalid } from '@berth/base'
import { constants } from 'node:os'

// glibc keeps 32 and 33 for itself (signal(7)).
const reserved: ReadonlySet<number> = new Set([32, 33])
const realTimeMin = 34
const realTimeMax = 64
const names: Readonly<Record<string, number>> = { ...constants.signals, SIGCLD: 17 }

/** The number of a signal given by name, with or without SIG and in any case, or by number. Throws `invalid`. */
export function parseSignal(text: string): number {
  const isNumber = /^[+-]?\d+$/.test(text)
  const number = isNumber ? Number(text) : numberOf(text.toUpperCase())
  if (number === undefined || number === 0) throw invalid(`invalid signal: ${text}`)
  if (number < 0 || number > realTimeMax || reserved.has(number)) {
    throw invalid(`the linux daemon does not support signal ${number}`)
  }
  return number
}

function numberOf(text: string): number | undefined {
  const name = text.startsWith('SIG') ? text : `SIG${text}`
  return Object.hasOwn(names, name) ? names[name] : realTime(name)
}

/** SIGRTMIN+3, SIGRTMAX-1 */
function realTime(name: string): number | undefined {
  const match = /^SIGRT(?:MIN(?:\+(\d+))?|MAX(?:-(\d+))?)$/.exec(name)
  if (!match) return undefined
  const number = name.startsWith('SIGRTMIN') ? realTimeMin + Number(match[1] ?? 0) : realTimeMax - Number(match[2] ?? 0)
  return number >= realTimeMin && number <= realTimeMax ? number : undefined
}
