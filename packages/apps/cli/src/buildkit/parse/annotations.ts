import { messageOf } from '@berth/base'
import { parsePlatform } from '@berth/oci'

const kinds = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor']

/** `--annotation [TYPE[[PLATFORM]],...:]KEY=VALUE` as attributes of an output. Throws an Error in buildx's words. */
export function parseAnnotations(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.filter(Boolean).flatMap(parseAnnotation))
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
  const found = /^([a-z-]+)(?:\[([A-Za-z0-9_/-]+)\])?$/.exec(text)
  const [, kind = '', platform] = found ?? []
  if (found === null) {
    const shape = 'expected type and optional platform in square brackets'
    throw new Error(`invalid annotation type ${JSON.stringify(text)}, ${shape}`)
  }
  if (!kinds.includes(kind)) throw new Error(`unknown annotation type ${JSON.stringify(kind)}`)
  if (platform === undefined) return kind
  requirePlatform(platform)
  return `${kind}[${platform}]`
}

function requirePlatform(text: string): void {
  try {
    parsePlatform(text)
  } catch (error) {
    throw new Error(`invalid platform ${JSON.stringify(text)}: ${messageOf(error)}`, { cause: error })
  }
}
