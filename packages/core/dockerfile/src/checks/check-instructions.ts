import { invalid, messageOf } from '@berth/base'
import type { ImageRunConfig } from '@berth/oci'
import { applyInstruction, type ConfigDraft } from '../config/apply-instruction.ts'
import { parseExposedPorts } from '../config/exposed-ports.ts'
import { type LineRange, locate } from '../dockerfile-error.ts'
import type { IgnoreRules } from '../ignore.ts'
import { nearest } from '../instructions/closest.ts'
import type { CommandInstruction, ConfigInstruction, CopyInstruction, StageInstruction } from '../instructions/types.ts'
import type { StageArgs } from '../stages/variables.ts'
import { type Expanding, expandWord, expandWords, isPlainWord } from '../words/expand-word.ts'
import type { Report } from './report.ts'

/** A stage so far. */
export interface CheckedState {
  readonly draft: ConfigDraft
  /** A WORKDIR was among the instructions, here or in a stage it stands on. */
  readonly isWorkdirSet: boolean
  /** Those that are declared. */
  readonly args: StageArgs | undefined
  readonly declared: ReadonlySet<string>
}

/** Does the instructions of a stage as far as configuration goes. Throws what would fail the build. */
export class StageChecker {
  readonly #report: Report
  readonly #args: StageArgs
  readonly #ignored: IgnoreRules
  readonly #declared = new Set<string>()
  /** Where an instruction stands that only the last one of counts. */
  readonly #last = new Map<string, LineRange>()
  #state: CheckedState

  constructor(report: Report, state: CheckedState, { args, ignored }: { args: StageArgs; ignored: IgnoreRules }) {
    this.#report = report
    this.#state = state
    this.#args = args
    this.#ignored = ignored
    if (state.args) args.inherit(state.args)
    for (const name of state.declared) this.#declared.add(name)
  }

  check(instructions: readonly StageInstruction[]): CheckedState {
    for (const instruction of instructions) locate(instruction.line.lines, () => this.#check(instruction))
    return { ...this.#state, args: this.#args, declared: this.#declared }
  }

  get #config(): ImageRunConfig {
    return this.#state.draft.config
  }

  #check(instruction: StageInstruction): void {
    switch (instruction.kind) {
      case 'arg':
        return this.#arg(instruction)
      case 'run':
        for (const mount of instruction.mounts) this.#expand(instruction, mount)
        return
      case 'copy':
      case 'add':
        return this.#copy(instruction)
      case 'env':
      case 'label':
        return this.#pairs(instruction)
      case 'workdir':
        return this.#workdir(instruction)
      case 'expose':
        return this.#expose(instruction)
      case 'cmd':
      case 'entrypoint':
        return this.#command(instruction)
      case 'healthcheck':
        this.#once(instruction)
        return this.#apply(instruction)
      case 'user':
      case 'stopsignal':
      case 'volume':
        this.#expandAll(instruction, 'words' in instruction ? instruction.words : [instruction.text])
        return this.#apply(instruction)
      default:
        return this.#apply(instruction)
    }
  }

  #apply(instruction: Parameters<typeof applyInstruction>[1]): void {
    const expanding = this.#args.expanding(this.#config, instruction.line.escape)
    this.#state = { ...this.#state, draft: applyInstruction(this.#state.draft, instruction, expanding) }
  }

  #expandAll(instruction: StageInstruction, words: readonly string[]): void {
    for (const word of words) this.#expand(instruction, word)
  }

  /** Expands a word and tells of variables that nobody has set or declared. */
  #expand(instruction: StageInstruction, word: string, options: Pick<Expanding, 'isRaw'> = {}): string {
    const { line } = instruction
    if (isPlainWord(word, line.escape)) return word
    const expanding = this.#args.expanding(this.#config, line.escape)
    const unset = new Set<string>()
    try {
      return expandWord(word, { ...expanding, ...options, onUnset: (name) => unset.add(name) })
    } finally {
      this.#tellUnset(line.lines, unset, expanding)
    }
  }

  #tellUnset(lines: LineRange, unset: ReadonlySet<string>, { environment }: Expanding): void {
    for (const name of unset) {
      if (this.#declared.has(name)) continue
      const meant = nearest(name, environment.keys())
      const detail = `Usage of undefined variable '$${name}'${meant === undefined ? '' : ` (did you mean $${meant}?)`}`
      this.#report.warn('UndefinedVar', lines, detail)
    }
  }

  #arg(instruction: StageInstruction & { kind: 'arg' }): void {
    const { line, args } = instruction
    for (const { value } of args) if (value !== undefined) this.#expand(instruction, value)
    for (const { name } of args) {
      this.#secret(line.lines, 'ARG', name)
      this.#declared.add(name)
    }
    this.#args.declare(instruction, this.#config)
  }

  #copy(instruction: CopyInstruction): void {
    const { kind, line, sources, destination, from } = instruction
    this.#expandAll(instruction, [instruction.chown, instruction.chmod])
    const expanded = sources.map((source) => this.#expand(instruction, source))
    this.#expand(instruction, destination)
    for (const file of instruction.files) if (file.expand) this.#expand(instruction, file.content, { isRaw: true })
    if (from !== '') return
    for (const source of expanded.filter((path) => this.#ignored.ignores(path))) {
      const verb = kind === 'copy' ? 'Copy' : 'Add'
      const detail = `Attempting to ${verb} file ${JSON.stringify(source)} that is excluded by .dockerignore`
      this.#report.warn('CopyIgnoredFile', line.lines, detail)
    }
  }

  #pairs(instruction: StageInstruction & { kind: 'env' | 'label' }): void {
    const { kind, line, pairs } = instruction
    this.#expandAll(instruction, pairs.flat())
    const name = kind.toUpperCase()
    // The old form is of one pair, without a sign between name and value.
    const isLegacy = !/^\S*=/.test(line.rest)
    for (const [key] of pairs) {
      if (isLegacy) {
        const detail = `"${name} key=value" should be used instead of legacy "${name} key value" format`
        this.#report.warn('LegacyKeyValueFormat', line.lines, detail)
      }
      if (kind === 'env') this.#secret(line.lines, name, key)
    }
    const { environment } = this.#args.expanding(this.#config, line.escape)
    this.#apply(instruction)
    if (kind === 'env') this.#args.hide(pairs.map(([key]) => expandWord(key, { environment, escape: line.escape })))
  }

  #secret(lines: LineRange, instruction: string, name: string): void {
    if (!secretName.test(name) || publicName.test(name)) return
    const detail = `Do not use ARG or ENV instructions for sensitive data (${instruction} ${JSON.stringify(name)})`
    this.#report.warn('SecretsUsedInArgOrEnv', lines, detail)
  }

  #workdir(instruction: StageInstruction & { kind: 'workdir' }): void {
    const path = this.#expand(instruction, instruction.path)
    if (!this.#state.isWorkdirSet && !path.startsWith('/')) {
      const detail = `Relative workdir ${JSON.stringify(path)} can have unexpected results if the base image changes`
      this.#report.warn('WorkdirRelativePath', instruction.line.lines, detail)
    }
    this.#apply(instruction)
    this.#state = { ...this.#state, isWorkdirSet: true }
  }

  #expose(instruction: ConfigInstruction & { readonly words: readonly string[] }): void {
    const { lines, escape } = instruction.line
    const expanding = this.#args.expanding(this.#config, escape)
    for (const port of instruction.words.toSorted().flatMap((word) => expandWords(word, expanding))) {
      if (port.includes('/') && /[A-Z]/.test(port.slice(port.indexOf('/')))) {
        const detail = `Defined protocol '${port}' in EXPOSE instruction should be lowercase`
        this.#report.warn('ExposeProtoCasing', lines, detail)
      }
      if (port.includes(':')) {
        const detail = `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`
        this.#report.warn('ExposeInvalidFormat', lines, detail)
      }
      requirePort(port)
    }
    this.#apply(instruction)
  }

  #command(instruction: CommandInstruction): void {
    this.#once(instruction)
    if (instruction.command.isShell && !this.#config.Shell?.length) {
      const name = instruction.kind.toUpperCase()
      const detail = `JSON arguments recommended for ${name} to prevent unintended behavior related to OS signals`
      this.#report.warn('JSONArgsRecommended', instruction.line.lines, detail)
    }
    this.#apply(instruction)
  }

  #once({ kind, line }: StageInstruction): void {
    const earlier = this.#last.get(kind)
    this.#last.set(kind, line.lines)
    if (!earlier) return
    const name = kind.toUpperCase()
    const detail = `Multiple ${name} instructions should not be used in the same stage because only the last one will be used`
    this.#report.warn('MultipleInstructionsDisallowed', earlier, detail)
  }
}

/** BuildKit says the same in other letters than the classic builder. */
function requirePort(port: string): void {
  try {
    parseExposedPorts([port])
  } catch (error) {
    throw invalid(messageOf(error).replace('Invalid', 'invalid').replace('ip address', 'IP address'), error)
  }
}

const words = 'apikey|auth|credentials?|key|password|pword|passwd|secret|token'
const secretName = new RegExp(`(?:_|^)(?:${words})(?:_|$)`, 'i')
const publicName = /(?:_|^)public(?:_|$)/i
