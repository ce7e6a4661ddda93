/** JSON with what Go's encoding/json escapes in strings beside what JSON wants: what means something in HTML or ends a line in JavaScript. */
export const escapeAsGo = (json: string): string =>
  json.replaceAll(/[<>&\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
