import { parsePlatform } from '@berth/oci'

const types: ReadonlySet<string> = new Set(['index', 'index-descriptor', 'manifest', 'manifest-descriptor'])

/** Throws when it is not `[type[platform],...:]key=value`. */
export function checkAnnotation(text: string): void {
  const at = text.indexOf('=')
  if (at === -1) throw new Error(`invalid annotation ${JSON.stringify(text)}, expected key=value`)
  const colon = text.slice(0, at).indexOf(':')
  if (colon === -1) return
  for (const one of text.slice(0, colon).split(',')) {
    const match = /^([a-z-]+)(?:\[([A-Za-z0-9_/-]+)\])?$/.exec(one)
    if (match === null) {
      throw new Error(
        `invalid annotation type ${JSON.stringify(one)}, expected type and optional platform in square brackets`,
      )
    }
    if (!types.has(match[1]!)) throw new Error(`unknown annotation type ${JSON.stringify(match[1])}`)
    if (match[2] !== undefined) parsePlatform(match[2])
  }
}
