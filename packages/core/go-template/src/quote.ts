const simpleEscapes: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
}

/** The value of a Go string or character literal with its quotes; undefined if it is malformed. */
export function unquote(literal: string): string | undefined {
  const quote = literal[0]
  const body = literal.slice(1, -1)
  if (quote === '`') return body.replaceAll('\r', '')
  let ok = true
  const value = body.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]))/g,
    (_all, hex?: string, short?: string, long?: string, octal?: string, simple?: string) => {
      const code = hex ?? short ?? long
      if (code !== undefined && Number.parseInt(code, 16) <= 0x10ffff) {
        return String.fromCodePoint(Number.parseInt(code, 16))
      }
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8))
      const plain = simple === undefined || !Object.hasOwn(simpleEscapes, simple) ? undefined : simpleEscapes[simple]
      ok &&= plain !== undefined
      return plain ?? ''
    },
  )
  if (quote === "'" && [...value].length !== 1) return undefined
  return ok ? value : undefined
}

const shortEscapes: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
}

/** As strconv.Quote: printable text in quotes, the rest escaped. */
export function quote(text: string, mark = '"'): string {
  let out = mark
  for (const char of text) {
    if (char === mark) out += `\\${mark}`
    else if (Object.hasOwn(shortEscapes, char)) out += shortEscapes[char]
    else if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char)) out += char
    else out += escapeCode(char.codePointAt(0) ?? 0)
  }
  return out + mark
}

function escapeCode(code: number): string {
  const hex = code.toString(16)
  if (code < 0x80) return `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}
