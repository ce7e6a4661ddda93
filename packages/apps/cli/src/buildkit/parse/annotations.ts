const kinds = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor']

/** `--annotation [TYPE[[PLATFORM]],...:]KEY=VALUE` as attributes of an output. Throws an Error in buildx's words. */
export function parseAnnotations(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.flatMap(parseAnnotation))
}

function parseAnnotation(text: string): (readonly [string, string])[] {
  const equals = text.indexOf('=')
  if (equals < 0) throw new Error(`invalid annotation ${JSON.stringify(text)}, expected key=value`)
  const [name, value] = [text.slice(0, equals), text.slice(equals + 1)]
  const colon = name.indexOf(':')
  if (colon < 0) return [[`annotation.${name}`, value]]
  const key = name.slice(colon + 1)
  return name
    .slice(0, colon)
    .split(',')
    .map((place) => [`annotation-${requirePlace(place)}.${key}`, value] as const)
}

/** `manifest`, `index[linux/amd64]`. */
function requirePlace(text: string): string {
  const [, kind = '', platform] = /^([^[\]]*)(\[[A-Za-z0-9_/-]+\])?$/.exec(text) ?? []
  if (!kinds.includes(kind)) throw new Error(`unknown annotation type ${JSON.stringify(text)}`)
  return `${kind}${platform ?? ''}`
}
