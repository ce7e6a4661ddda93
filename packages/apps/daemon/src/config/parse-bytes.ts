import { invalid } from '@berth/base'

const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/** `64m`, `64MB`, `1g`: powers of 1024, as Docker reads sizes of memory. Throws `invalid` naming the option. */
export function parseBytes(key: string, text: string): number {
  const m = /^(\d+(?:\.\d+)?)\s?([bkmgt]?)(?:i?b)?$/i.exec(text)
  if (!m) throw invalid(`invalid --${key}: invalid size: '${text}'`)
  return Math.floor(Number(m[1]) * (units[(m[2] ?? '').toLowerCase()] as number))
}
