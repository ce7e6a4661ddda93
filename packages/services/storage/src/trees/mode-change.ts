/** `--chmod`: a number, or clauses such as `u+rwX,go-w`. */
export type ModeChange =
  | { readonly kind: 'absolute'; readonly mode: number }
  | { readonly kind: 'symbolic'; readonly clauses: readonly ModeClause[] }

export interface ModeClause {
  /** Bits of the classes that the clause is about: 0o700, 0o070, 0o007 and their special bits. */
  readonly classes: number
  readonly operator: '+' | '-' | '='
  readonly permissions: readonly string[]
}

const classBits: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 }

/** Reads `--chmod`'s value; undefined for what is none. */
export function parseModeChange(text: string): ModeChange | undefined {
  if (/^[0-7]{1,5}$/.test(text) && Number.parseInt(text, 8) <= 0o7777) {
    return { kind: 'absolute', mode: Number.parseInt(text, 8) }
  }
  const clauses: ModeClause[] = []
  for (const clause of text.split(',')) {
    const [, who = '', actions = ''] = /^([ugoa]*)((?:[-+=][rwxXst]*)+)$/.exec(clause) ?? []
    if (actions === '') return undefined
    const classes = [...(who || 'a')].reduce((bits, letter) => bits | (classBits[letter] ?? 0), 0)
    for (const [, operator = '', permissions = ''] of actions.matchAll(/([-+=])([rwxXst]*)/g)) {
      clauses.push({ classes, operator: operator as ModeClause['operator'], permissions: [...permissions] })
    }
  }
  return { kind: 'symbolic', clauses }
}

/** The permission bits after a change; `X` is `x` for directories and for what anybody may execute. */
export function applyMode(change: ModeChange, mode: number, isDirectory: boolean): number {
  if (change.kind === 'absolute') return change.mode
  return change.clauses.reduce((bits, clause) => applyClause(clause, bits, isDirectory), mode & 0o7777)
}

function applyClause({ classes, operator, permissions }: ModeClause, mode: number, isDirectory: boolean): number {
  const bits = permissions.reduce((sum, letter) => sum | permissionBits(letter, mode, isDirectory), 0) & classes
  if (operator === '+') return mode | bits
  if (operator === '-') return mode & ~bits
  return (mode & ~classes) | bits
}

function permissionBits(letter: string, mode: number, isDirectory: boolean): number {
  switch (letter) {
    case 'r':
      return 0o444
    case 'w':
      return 0o222
    case 'x':
      return 0o111
    case 'X':
      return isDirectory || (mode & 0o111) !== 0 ? 0o111 : 0
    case 's':
      return 0o6000
    default:
      return 0o1000
  }
}
