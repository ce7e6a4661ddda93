const htmlEscapes: Record<string, string> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\uFFFD',
}

/** As template.HTMLEscapeString. */
export function escapeHtml(text: string): string {
  return text.replace(/["'&<>\0]/g, (char) => htmlEscapes[char] ?? char)
}

const scriptEscapes: Record<string, string> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
}

/** As template.JSEscapeString. */
export function escapeScript(text: string): string {
  return text.replace(/[\\'"<>&=\p{C}]/gu, (char) => {
    if (Object.hasOwn(scriptEscapes, char)) return scriptEscapes[char] ?? char
    return `\\u${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
  })
}

/** As url.QueryEscape. */
export function escapeQuery(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}

/** ES2025's, which TypeScript does not know yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
const exact = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? rawJSON(String(value)) : value)

/** As a json.Encoder without HTML escaping writes it, whole numbers to the last digit; U+2028 and U+2029 are escaped. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value ?? null, exact) ?? 'null'
  return text.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}
