/** Indents a JSON text without changing its tokens, as Go's json.Indent. */
export function indentJson(text: string, prefix = '', unit = '    '): string {
  const parts: string[] = []
  let depth = 0
  let last = ''
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    const closes = token === '}' || token === ']'
    const opened = last === '{' || last === '['
    if (closes) depth--
    if (closes ? !opened : opened || last === ',') parts.push('\n', prefix, unit.repeat(depth))
    parts.push(token === ':' ? ': ' : token)
    if (token === '{' || token === '[') depth++
    last = token
  }
  return parts.join('')
}
