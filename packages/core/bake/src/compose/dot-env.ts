const line =
  /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*(?:=|:\s)\s*(?:'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|([^\n#]*?))\s*(?:\s#[^\n]*)?$/gm

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** The variables of a `.env` file. */
export function parseDotEnv(text: string): Map<string, string> {
  const variables = new Map<string, string>()
  const lookup = (name: string): string => variables.get(name) ?? ''
  for (const [, name, single, double, plain] of text.matchAll(line)) {
    const unescaped = double?.replaceAll(/\\([\s\S])/g, (_, letter: string) => escapes[letter] ?? letter)
    const raw = unescaped ?? plain ?? ''
    const value =
      single ?? raw.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => lookup(braced ?? bare!))
    variables.set(name!, value)
  }
  return variables
}
