import type { LineRange } from '../dockerfile-error.ts'
import type { CheckOptions } from './options.ts'
import { type CheckName, checkRules, checkUrl } from './rules.ts'

/** What a check has found. */
export interface CheckWarning {
  readonly name: CheckName
  readonly description: string
  readonly url: string
  readonly detail: string
  /** One for each line. */
  readonly ranges: readonly LineRange[]
}

/** Collects what the checks find, but for those that are skipped. */
export class Report {
  readonly #options: CheckOptions
  readonly warnings: CheckWarning[] = []

  constructor(options: CheckOptions) {
    this.#options = options
  }

  warn(name: CheckName, lines: LineRange, detail: string): void {
    if (!this.#isWanted(name)) return
    const { description } = checkRules[name]
    this.warnings.push({ name, description, url: checkUrl(name), detail, ranges: linesOf(lines) })
  }

  /** What fails the build, when warnings are to. */
  get violation(): string | undefined {
    if (!this.#options.isError || this.warnings.length === 0) return undefined
    const names = new Set(this.warnings.map(({ name }) => name))
    return `lint violation found for rules: ${[...names].join(', ')}`
  }

  #isWanted(name: CheckName): boolean {
    const { skips, experimental } = this.#options
    const isExperimental = 'isExperimental' in checkRules[name]
    // Who asks for one by its name gets it whatever is skipped.
    if (isExperimental) return experimental === 'all' || experimental.includes(name)
    return skips !== 'all' && !skips.includes(name)
  }
}

const linesOf = ({ start, end }: LineRange): LineRange[] =>
  Array.from({ length: end - start + 1 }, (_, i) => ({ start: start + i, end: start + i }))
