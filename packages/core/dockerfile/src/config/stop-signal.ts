import { invalid } from '@berth/base'
import { constants } from 'node:os'

/** Refuses what names no signal: `SIGTERM`, `term`, `RTMIN+3` or a number are fine. */
export function requireSignal(text: string): void {
  const name = text.toUpperCase().replace(/^SIG/, '')
  const isNumber = /^[1-9]\d*$/.test(text) && Number(text) <= 64
  const isRealTime = /^RTM(?:IN(?:\+(?:[1-9]|1[0-5]))?|AX(?:-(?:[1-9]|1[0-4]))?)$/.test(name)
  if (isNumber || isRealTime || Object.hasOwn(constants.signals, `SIG${name}`)) return
  throw invalid(`invalid signal: ${text}`)
}
