import { messageOf } from '@berth/base'
import type { Flag, FlagSet, FlagValues } from './flag.ts'

/** What is wrong with a command line, as the flag package of docker says it. */
export class FlagError extends Error {}

/** `--help` was asked for; `deprecatedShort`: by -h. */
export class HelpRequest extends Error {
  readonly short: boolean

  constructor(short: boolean) {
    super('help requested')
    this.short = short
  }
}

export interface Parsed<F extends FlagSet> {
  readonly flags: FlagValues<F>
  readonly args: readonly string[]
  /** Whether the flag, by its key, was given. */
  changed(key: keyof F): boolean
}

/** Parses as pflag does: `-it`, `-p80`, `--name=x`, `--name x`, `--`; `interspersed`: flags may follow arguments. */
export function parseFlags<F extends FlagSet>(set: F, argv: readonly string[], interspersed: boolean): Parsed<F> {
  const parser = new FlagParser(set, argv)
  const args = parser.parse(interspersed)
  const { values, given } = parser
  return { flags: values as FlagValues<F>, args, changed: (key) => given.has(String(key)) }
}

/** The flags with the values that the environment gives them; an empty variable gives none. */
export function withEnvironment<F extends FlagSet>(set: F, env: Readonly<Record<string, string | undefined>>): F {
  const entries = Object.entries(set).map(([key, flag]): [string, Flag<unknown>] => {
    const text = flag.environment === undefined ? '' : (env[flag.environment] ?? '')
    return [key, text === '' ? flag : { ...flag, initial: flag.parse(text, flag.initial) }]
  })
  return Object.fromEntries(entries) as F
}

/** What a flag's text is refused by, for a reason that is known only after all flags are read too. */
export function invalidArgument({ short, name }: Flag<unknown>, text: string, reason: unknown): FlagError {
  const shown = short === undefined ? `--${name}` : `-${short}, --${name}`
  return new FlagError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${messageOf(reason)}`)
}

class FlagParser {
  readonly values: Record<string, unknown>
  readonly given = new Set<string>()
  readonly #keys = new Map<string, string>()
  readonly #set: FlagSet
  readonly #rest: string[]

  constructor(set: FlagSet, argv: readonly string[]) {
    this.#set = set
    this.#rest = [...argv]
    this.values = Object.fromEntries(Object.entries(set).map(([key, flag]) => [key, flag.initial]))
    for (const [key, { name, short, also = [] }] of Object.entries(set)) {
      for (const one of [name, ...also]) this.#keys.set(`--${one}`, key)
      if (short !== undefined) this.#keys.set(`-${short}`, key)
    }
  }

  parse(interspersed: boolean): string[] {
    const args: string[] = []
    for (let word = this.#rest.shift(); word !== undefined; word = this.#rest.shift()) {
      if (word === '--') return [...args, ...this.#rest]
      if (word.startsWith('--')) this.#long(word)
      else if (word.startsWith('-') && word.length > 1) this.#short(word)
      else {
        args.push(word)
        if (!interspersed) return [...args, ...this.#rest]
      }
    }
    return args
  }

  #long(word: string): void {
    const equals = word.indexOf('=')
    const name = equals < 0 ? word : word.slice(0, equals)
    if (name === '--' || name.startsWith('---')) throw new FlagError(`bad flag syntax: ${word}`)
    const key = this.#keys.get(name)
    if (key === undefined) {
      if (name === '--help') throw new HelpRequest(false)
      throw new FlagError(`unknown flag: ${name}`)
    }
    const flag = this.#flag(key)
    const text = equals < 0 ? (flag.implied ?? this.#rest.shift()) : word.slice(equals + 1)
    if (text === undefined) throw new FlagError(`flag needs an argument: ${name}`)
    this.#store(key, text)
  }

  #short(word: string): void {
    let letters = word.slice(1)
    while (letters !== '') {
      const letter = letters.slice(0, 1)
      const key = this.#keys.get(`-${letter}`)
      if (key === undefined) {
        if (letter === 'h') throw new HelpRequest(true)
        throw new FlagError(`unknown shorthand flag: '${letter}' in -${letters}`)
      }
      const { text, rest } = this.#shortValue(this.#flag(key), letters, word)
      this.#store(key, text)
      letters = rest
    }
  }

  #shortValue(flag: Flag<unknown>, letters: string, word: string): { text: string; rest: string } {
    if (letters.length > 2 && letters[1] === '=') return { text: letters.slice(2), rest: '' }
    if (flag.implied !== undefined) return { text: flag.implied, rest: letters.slice(1) }
    if (letters.length > 1) return { text: letters.slice(1), rest: '' }
    const text = this.#rest.shift()
    if (text === undefined) throw new FlagError(`flag needs an argument: '${letters}' in ${word}`)
    return { text, rest: '' }
  }

  #flag(key: string): Flag<unknown> {
    const flag = this.#set[key]
    if (flag === undefined) throw new Error(`no flag ${key}`)
    return flag
  }

  #store(key: string, text: string): void {
    const flag = this.#flag(key)
    try {
      this.values[key] = flag.parse(text, this.values[key])
    } catch (error) {
      throw invalidArgument(flag, text, error)
    }
    this.given.add(key)
  }
}
