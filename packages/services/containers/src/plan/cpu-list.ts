const maxNumber = 8192

/** A list of CPUs or memory nodes (`0-2,7`), or the reason why `text` is none. Bounded: ranges are spelled out. */
export function parseCpuList(text: string): ReadonlySet<number> | string {
  const numbers = new Set<number>()
  for (const part of text === '' ? [] : text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part)
    if (!match) return `invalid format: ${text}`
    const first = Number(match[1])
    const last = Number(match[2] ?? match[1])
    if (first > maxNumber || last > maxNumber) return `value of out range, maximum is ${maxNumber}`
    if (last < first) return `invalid format: ${text}`
    for (let number = first; number <= last; number++) numbers.add(number)
  }
  return numbers
}

/** Whether every number of `requested` is in the list `available`. */
export function isCpuListWithin(requested: ReadonlySet<number>, available: string): boolean {
  const parsed = parseCpuList(available)
  return typeof parsed !== 'string' && requested.isSubsetOf(parsed)
}
