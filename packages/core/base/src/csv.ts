/** The fields of one CSV record (RFC 4180); throws an Error if a quote is out of place. */
export function splitCsv(text: string): string[] {
  const fields: string[] = []
  let rest = text
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"(,|$)/.exec(rest)
    const plain = quoted ?? /^([^",]*)(,|$)/.exec(rest)
    if (plain === null) throw new Error('parse error on line 1: bare " in non-quoted field')
    const field = plain[1] ?? ''
    fields.push(quoted === null ? field : field.replaceAll('""', '"'))
    if (plain[2] === '') return fields
    rest = rest.slice(plain[0].length)
  }
}
