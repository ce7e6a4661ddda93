import { formatPlatform, type ImageRunConfig, type Platform } from '@berth/oci'
import { environmentOf } from '../config/apply-instruction.ts'
import type { ArgInstruction } from '../instructions/types.ts'
import { type Expanding, expandWord } from '../words/expand-word.ts'
import type { BuilderStyle } from './parse-dockerfile.ts'

/** Reach RUN without an ARG, and count neither for the cache nor in the history. */
const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
])

export type BuildArgs = Readonly<Record<string, string | undefined>>

/** Platforms as ARGs: https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope */
export function platformArgs(build: Platform, target: Platform): Map<string, string> {
  const of = (prefix: string, platform: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, platform['os.version'] ?? ''],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ]
  return new Map([...of('BUILD', build), ...of('TARGET', target)])
}

/** The ARGs before the first FROM, with their values; those of the platform among them. */
export function globalVariables(
  instructions: readonly ArgInstruction[],
  args: BuildArgs,
  automatic: ReadonlyMap<string, string>,
): Map<string, string> {
  const values = new Map(automatic)
  for (const [name, value] of Object.entries(args)) {
    if (automatic.has(name) && value !== undefined) values.set(name, value)
  }
  for (const { name, value } of instructions.flatMap((instruction) => instruction.args)) {
    const given = Object.hasOwn(args, name) ? args[name] : undefined
    const own = value === undefined ? undefined : expandWord(value, { environment: values })
    const chosen = given ?? own
    if (chosen !== undefined) values.set(name, chosen)
  }
  return values
}

/** An ARG that was declared. */
export interface DeclaredArg {
  readonly name: string
  /** What the line says, variables expanded. */
  readonly own: string | undefined
  /** What it has come to; undefined: nothing. */
  readonly value: string | undefined
}

/**
 * The ARGs of a stage as they are declared. The classic builder has variables of the image win over them; BuildKit has
 * whichever came last win.
 */
export class StageArgs {
  readonly #given: BuildArgs
  readonly #global: ReadonlyMap<string, string>
  readonly #style: BuilderStyle
  readonly #values = new Map<string, string | undefined>()
  /** Those that came after the image's variable of the same name. */
  readonly #winning = new Set<string>()
  /** Names that an ARG of this stage declared. */
  readonly used = new Set<string>()

  constructor(given: BuildArgs, global: ReadonlyMap<string, string>, style: BuilderStyle) {
    this.#given = given
    this.#global = global
    this.#style = style
  }

  /** Takes over what a stage has that this one stands on; the classic builder does not. */
  inherit(from: StageArgs): void {
    if (this.#style === 'classic') return
    for (const [name, value] of from.#values) this.#values.set(name, value)
    for (const name of from.#winning) this.#winning.add(name)
  }

  /** Takes an ARG in. */
  declare({ args, line }: ArgInstruction, config: ImageRunConfig): DeclaredArg[] {
    const { escape } = line
    return args.map(({ name, value }) => {
      this.used.add(name)
      const given = Object.hasOwn(this.#given, name) ? this.#given[name] : undefined
      const own = value === undefined ? undefined : expandWord(value, this.expanding(config, escape))
      const chosen = given ?? own ?? this.#global.get(name)
      if (chosen !== undefined && this.#style === 'buildkit') this.#winning.add(name)
      // What a stage that this one stands on has given it stays.
      if (chosen !== undefined || !this.#values.has(name)) this.#values.set(name, chosen)
      return { name, own, value: chosen }
    })
  }

  /** Variables of the image that an ENV has set just now. */
  hide(names: Iterable<string>): void {
    for (const name of names) this.#winning.delete(name)
  }

  /** What words are expanded with. */
  expanding(config: ImageRunConfig, escape = '\\'): Expanding {
    const set = [...this.#values].flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
    const winning = set.filter(([name]) => this.#winning.has(name))
    return { environment: new Map([...set, ...environmentOf(config), ...winning]), escape }
  }

  /** `NAME=value` of all that a RUN sees, the image's among them. */
  environment(config: ImageRunConfig): string[] {
    return [...this.expanding(config).environment].map(([name, value]) => `${name}=${value}`)
  }

  /** `NAME=value` of the arguments as the history of a RUN tells them. */
  forHistory(config: ImageRunConfig): string[] {
    const { environment } = this.expanding(config)
    if (this.#style === 'buildkit') {
      return [...this.#values.keys()].map((name) => `${name}=${environment.get(name) ?? ''}`)
    }
    const own = environmentOf(config)
    return [...this.#values].flatMap(([name, value]) =>
      value === undefined || own.has(name) ? [] : [`${name}=${value}`],
    )
  }

  /** Proxies that were given and not declared: for BuildKit under both of their names, however they were written. */
  proxies(config: ImageRunConfig): string[] {
    const own = environmentOf(config)
    const given = this.#style === 'buildkit' ? bothNames(this.#given) : Object.entries(this.#given)
    const hidden = (name: string) => !proxies.includes(name) || this.#values.has(name) || own.has(name)
    return given.flatMap(([name, value]) => (value === undefined || hidden(name) ? [] : [`${name}=${value}`]))
  }
}

/** Proxies, in upper case and in lower case. */
function bothNames(given: BuildArgs): [string, string][] {
  const found = Object.entries(given).flatMap(([name, value]): [string, string][] => {
    const upper = name.toUpperCase()
    return proxies.includes(upper) && value ? [[upper, value]] : []
  })
  return [...new Map(found)].flatMap(([upper, value]): [string, string][] => [
    [upper, value],
    [upper.toLowerCase(), value],
  ])
}

/** Arguments that were given and that no ARG declares; they may be a slip. */
export function unusedArgs(given: BuildArgs, declared: ReadonlySet<string>): string[] {
  const known = new Set([...declared, ...proxies, 'SOURCE_DATE_EPOCH'])
  return Object.keys(given)
    .filter((name) => !known.has(name) && !name.startsWith('BUILDKIT_'))
    .toSorted()
}
