/** Columns that a character takes on a terminal. */
function charWidth(char: string): number {
  const code = char.codePointAt(0) ?? 0
  if (code < 0x300) return 1
  if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(char)) return 0
  return isWide(code) ? 2 : 1
}

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  )
}

/** Columns that a text takes on a terminal. */
export const textWidth = (text: string): number => [...text].reduce((sum, char) => sum + charWidth(char), 0)

/** Cuts a text to so many columns; what is cut ends in an ellipsis. */
export function ellipsis(text: string, columns: number): string {
  const chars = [...text]
  if (textWidth(text) <= columns) return text
  let used = 0
  const end = chars.findIndex((char) => (used += charWidth(char)) > columns - 1)
  return `${chars.slice(0, end).join('')}…`
}

/** The twelve digits that stand for an id. */
export function shortId(id: string): string {
  const digits = id.includes(':') ? id.slice(id.indexOf(':') + 1) : id
  return digits.slice(0, 12)
}
