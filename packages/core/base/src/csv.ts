/** The fields of one CSV record (RFC 4180); throws an Error in Go's words if a quote is out of place. */
export function splitCsv(text: string): string[] {
  const fields: string[] = []
  let at = 0
  for (;;) {
    const rest = text.slice(at)
    const quoted = /^"((?:[^"]|"")*)"(,|$)/.exec(rest)
    const found = quoted ?? /^([^",]*)(,|$)/.exec(rest)
    if (found === null) throw new Error(`parse error on line 1, ${misplacedQuote(text, at)}`)
    const field = found[1] ?? ''
    fields.push(quoted === null ? field : field.replaceAll('""', '"'))
    if (found[2] === '') return fields
    at += found[0].length
  }
}

/** What is wrong with the field that begins at `from`; columns are bytes, from 1. */
function misplacedQuote(text: string, from: number): string {
  const column = (end: number) => Buffer.byteLength(text.slice(0, end)) + 1
  if (text[from] !== '"') return `column ${column(text.indexOf('"', from))}: bare " in non-quoted-field`
  const [closed] = /^"(?:[^"]|"")*(?="[^"])/.exec(text.slice(from)) ?? []
  const end = closed === undefined ? text.length : from + closed.length
  return `column ${column(end)}: extraneous or missing " in quoted-field`
}
