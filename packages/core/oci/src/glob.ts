/**
 * Go's path.Match (https://pkg.go.dev/path#Match): `*` and `?` stop at a slash, `[...]` has ranges and `^`, a
 * backslash escapes. Undefined when the pattern is malformed; it is judged whole, whatever the text is.
 */
export function matchGlob(pattern: string, text: string): boolean | undefined {
  const parts = compile(pattern)
  return parts && matchFrom(parts, text)
}

type Part = { readonly star: true } | { readonly star: false; readonly accepts: (char: string) => boolean }

function compile(pattern: string): Part[] | undefined {
  const chars = [...pattern]
  const parts: Part[] = []
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i]
    if (char === '*') {
      parts.push({ star: true })
    } else if (char === '?') {
      parts.push({ star: false, accepts: (c) => c !== '/' })
    } else if (char === '[') {
      const set = compileSet(chars, i + 1)
      if (!set) return undefined
      parts.push({ star: false, accepts: set.accepts })
      i = set.end
    } else {
      const literal = char === '\\' ? chars[++i] : char
      if (literal === undefined) return undefined
      parts.push({ star: false, accepts: (c) => c === literal })
    }
  }
  return parts
}

function compileSet(chars: readonly string[], start: number) {
  const negated = chars[start] === '^'
  const ranges: [string, string][] = []
  let i = negated ? start + 1 : start
  while (ranges.length === 0 || chars[i] !== ']') {
    const low = readSetChar(chars, i)
    if (!low) return undefined
    const high = chars[low.next] === '-' ? readSetChar(chars, low.next + 1) : low
    if (!high) return undefined
    ranges.push([low.char, high.char])
    i = high.next
  }
  const within = (c: string) => ranges.some(([low, high]) => low <= c && c <= high)
  return { end: i, accepts: (c: string) => within(c) !== negated }
}

function readSetChar(chars: readonly string[], at: number): { char: string; next: number } | undefined {
  const first = chars[at]
  if (first === undefined || first === '-' || first === ']') return undefined
  const char = first === '\\' ? chars[at + 1] : first
  const next = first === '\\' ? at + 2 : at + 1
  // path.Match wants something after every character of a set: at least its closing bracket.
  return char === undefined || next >= chars.length ? undefined : { char, next }
}

/** Backtracks to the last star only: linear in the product, never exponential. */
function matchFrom(parts: readonly Part[], text: string): boolean {
  const chars = [...text]
  let part = 0
  let at = 0
  let star: { part: number; at: number } | undefined
  for (;;) {
    const current = parts[part]
    const char = chars[at]
    if (current?.star) {
      star = { part: ++part, at }
    } else if (current && char !== undefined && current.accepts(char)) {
      part++
      at++
    } else if (!current && char === undefined) {
      return true
    } else if (star && star.at < chars.length && chars[star.at] !== '/') {
      star = { part: star.part, at: star.at + 1 }
      part = star.part
      at = star.at
    } else {
      return false
    }
  }
}
