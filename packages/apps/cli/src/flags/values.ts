const durationUnits: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

/** A Go duration (`1h15m30.5s`) in nanoseconds; throws an Error in Go's words. */
export function parseDuration(text: string): number {
  const quoted = JSON.stringify(text)
  const body = text.replace(/^[+-]/, '')
  if (body === '0') return 0
  const parts = [...body.matchAll(/(\d*\.?\d*)([^\d.]*)/g)].filter(([all]) => all !== '')
  if (body === '' || parts.length === 0) throw new Error(`time: invalid duration ${quoted}`)
  let total = 0
  for (const [, number = '', unit = ''] of parts) {
    if (!/\d/.test(number)) throw new Error(`time: invalid duration ${quoted}`)
    if (unit === '') throw new Error(`time: missing unit in duration ${quoted}`)
    const scale = Object.hasOwn(durationUnits, unit) ? durationUnits[unit] : undefined
    if (scale === undefined) throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`)
    total += Number(number) * scale
  }
  if (total > 2 ** 63) throw new Error(`time: invalid duration ${quoted}`)
  return Math.trunc(text.startsWith('-') ? -total : total)
}

const sizeScale: Record<string, number> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 }

/** A size with a binary unit (`512m`, `1.5GiB`) in bytes; throws an Error in docker's words. */
export function parseSize(text: string): number {
  const [, number = '', suffix = ''] = /^(.*[\d.])? ?([^\d. ]*)$/.exec(text) ?? []
  if (number === '' || number.startsWith('-')) throw new Error(`invalid size: '${text}'`)
  if (!/^\+?(\d+\.?\d*|\.\d+)$/.test(number)) {
    throw new Error(`strconv.ParseFloat: parsing ${JSON.stringify(number)}: invalid syntax`)
  }
  const unit = suffix.toLowerCase()
  const scale = /^(b|[kmgtp](i?b)?)?$/.test(unit) ? (sizeScale[unit.charAt(0)] ?? 1) : undefined
  if (scale === undefined) throw new Error(`invalid suffix: '${suffix}'`)
  return Math.trunc(Number(number) * scale)
}
