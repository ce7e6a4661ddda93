import { formatPlatform, type ImageRunConfig, type Platform } from '@berth/oci'
import { environmentOf } from '../config/apply-instruction.ts'
import type { ArgInstruction } from '../instructions/types.ts'
import { type Expanding, expandWord } from '../words/expand-word.ts'

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

/** The ARGs of a stage as they are declared. */
export class StageArgs {
  readonly #given: BuildArgs
  readonly #global: ReadonlyMap<string, string>
  readonly #values = new Map<string, string>()
  /** Names that an ARG of this stage declared. */
  readonly used = new Set<string>()

  constructor(given: BuildArgs, global: ReadonlyMap<string, string>) {
    this.#given = given
    this.#global = global
  }

  /** Takes over what a stage has that this one stands on. */
  inherit(from: StageArgs): void {
    for (const [name, value] of from.#values) this.#values.set(name, value)
  }

  /** Takes an ARG in, and returns it as the history has it: `FOO=1`, or the bare name. */
  declare({ args, line }: ArgInstruction, config: ImageRunConfig, onUnset?: (name: string) => void): string {
    const expanding = { ...this.expanding(config, line.escape), ...(onUnset && { onUnset }) }
    const texts = args.map(({ name, value }) => {
      this.used.add(name)
      const given = Object.hasOwn(this.#given, name) ? this.#given[name] : undefined
      const own = value === undefined ? this.#global.get(name) : expandWord(value, expanding)
      const chosen = given ?? own
      if (chosen !== undefined) this.#values.set(name, chosen)
      return chosen === undefined || (value === undefined && given === undefined) ? name : `${name}=${chosen}`
    })
    return texts.join(' ')
  }

  /** What words are expanded with: variables of the image win over arguments of the same name. */
  expanding(config: ImageRunConfig, escape = '\\'): Expanding {
    return { environment: new Map([...this.#values, ...environmentOf(config)]), escape }
  }

  /** `NAME=value` of the arguments that a RUN sees; those of the image hide them. */
  forRun(config: ImageRunConfig): string[] {
    const own = environmentOf(config)
    return [...this.#values].filter(([name]) => !own.has(name)).map(([name, value]) => `${name}=${value}`)
  }

  /** Proxies that were given and not declared. */
  proxies(config: ImageRunConfig): string[] {
    const own = environmentOf(config)
    const given = Object.entries(this.#given).filter(([name]) => proxies.includes(name) && !this.#values.has(name))
    return given.flatMap(([name, value]) => (value === undefined || own.has(name) ? [] : [`${name}=${value}`]))
  }
}

/** Arguments that were given and that no ARG declares; they may be a slip. */
export function unusedArgs(given: BuildArgs, declared: ReadonlySet<string>): string[] {
  const known = new Set([...declared, ...proxies, 'SOURCE_DATE_EPOCH'])
  return Object.keys(given)
    .filter((name) => !known.has(name) && !name.startsWith('BUILDKIT_'))
    .toSorted()
}
