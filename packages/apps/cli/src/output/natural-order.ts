/** Compares names so that runs of digits count as numbers: `a2` before `a10`. */
export function compareNaturally(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.match(/\d+|\D+/g) ?? [])
  for (let at = 0; at < Math.min(left?.length ?? 0, right?.length ?? 0); at++) {
    const order = comparePart(left?.[at] ?? '', right?.[at] ?? '')
    if (order !== 0) return order
  }
  return (left?.length ?? 0) - (right?.length ?? 0)
}

function comparePart(a: string, b: string): number {
  if (/^\d/.test(a) && /^\d/.test(b)) {
    const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')]
    return left.length - right.length || compareText(left, right) || a.length - b.length
  }
  return compareText(a, b)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
