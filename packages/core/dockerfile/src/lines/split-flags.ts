/** Takes the words that begin with `--` off the front, up to a bare `--`; quotes in them are resolved. */
export function splitFlags(text: string, escape: string): { readonly flags: string[]; readonly rest: string } {
  const flags: string[] = []
  let rest = text
  for (;;) {
    rest = rest.trimStart()
    if (!rest.startsWith('--')) return { flags, rest }
    const { word, length } = readFlag(rest, escape)
    rest = rest.slice(length)
    if (word === '--') return { flags, rest: rest.trimStart() }
    flags.push(word)
  }
}

function readFlag(text: string, escape: string): { word: string; length: number } {
  let word = ''
  let quote = ''
  let at = 0
  for (; at < text.length; at++) {
    const char = text[at] as string
    if (quote === '' && /\s/.test(char)) break
    if (char === quote) quote = ''
    else if (quote === '' && (char === "'" || char === '"')) quote = char
    else if (char === escape && quote !== "'") word += text[++at] ?? ''
    else word += char
  }
  return { word, length: at }
}
