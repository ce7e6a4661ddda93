import {
  codes,
  decodeProgram,
  encodeProgram,
  holds,
  type Instruction,
  isConditional,
  offsets,
  successors,
} from './filter-program.ts'

/**
 * The same filter, quicker to load: libseccomp compares with one system call's number after the other, and the kernel runs
 * a new filter for each number that there is (seccomp_cache_prepare), which takes it over a millisecond. Here a binary
 * search finds what the filter does with a number; what depends on arguments is taken over as it is.
 *
 * A program with anything unknown in it, or that would not become shorter, is returned unchanged.
 */
export function optimizeFilter(filter: Buffer): Buffer {
  const program = decodeProgram(filter)
  if (!program || !isUnderstood(program)) return filter
  const optimized = assemble(program, tellApart(program, 'architecture', 0))
  return optimized.length < program.length ? encodeProgram(optimized) : filter
}

/** What the accumulator holds: one of the two values that decide most, or something else. */
type Loaded = 'architecture' | 'number' | 'other'

const loadedBy = ({ k }: Instruction): Loaded =>
  k === offsets.architecture ? 'architecture' : k === offsets.number ? 'number' : 'other'

/** Whether no instruction is unknown, none leaves the program, and nothing is computed of an architecture or number. */
function isUnderstood(program: readonly Instruction[]): boolean {
  if (program[0]?.code !== codes.load) return false
  const seen: Record<Loaded, Set<number>> = { architecture: new Set(), number: new Set(), other: new Set() }
  const open: [at: number, loaded: Loaded][] = [[0, 'other']]
  for (let next = open.pop(); next; next = open.pop()) {
    const [at, loaded] = next
    if (seen[loaded].has(at)) continue
    seen[loaded].add(at)
    const instruction = program[at]
    if (!instruction || !isKnown(instruction, loaded)) return false
    const then = instruction.code === codes.load ? loadedBy(instruction) : loaded
    for (const successor of successors(instruction, at)) open.push([successor, then])
  }
  return true
}

function isKnown(instruction: Instruction, loaded: Loaded): boolean {
  const { code } = instruction
  if (code === codes.and || code === codes.jumpIfSet) return loaded === 'other'
  return code === codes.load || code === codes.jump || code === codes.return || isConditional(instruction)
}

/** What a filter does from somewhere on: returns, goes on in the old program at an instruction, or tells more apart. */
type Outcome = { readonly returns: number } | { readonly goesOnAt: number } | Search

/** Picks the last case that begins at or below the loaded value. The first one begins at 0. */
interface Search {
  readonly searches: 'architecture' | 'number'
  readonly cases: readonly Case[]
}

interface Case {
  readonly from: number
  readonly outcome: Outcome
}

/** What the program does from `at` on, by a value that is not known, and by the number after the architecture. */
function tellApart(program: readonly Instruction[], searches: Search['searches'], at: number): Outcome {
  const found = casesOf({ program, searches }, at, { from: 0, to: 2 ** 32 })
  const cases = joined(
    found.map(({ from, outcome }) => {
      if (searches === 'number' || !('goesOnAt' in outcome)) return { from, outcome }
      return { from, outcome: tellApart(program, 'number', outcome.goesOnAt) }
    }),
  )
  const [first] = cases
  return first && cases.length === 1 ? first.outcome : { searches, cases }
}

interface Question {
  readonly program: readonly Instruction[]
  /** The value that is not known. */
  readonly searches: Search['searches']
}

interface Range {
  readonly from: number
  readonly to: number
}

/** The cases of a range of values: follows the way of most, and looks at those that leave it one by one. */
function casesOf(question: Question, start: number, range: Range): Case[] {
  const { program, searches } = question
  const others = new Map<number, Outcome>()
  for (let at = start; ;) {
    const instruction = program[at] as Instruction
    const [next, otherwise] = successors(instruction, at)
    if (instruction.code === codes.return) return rangeCases(range, { returns: instruction.k }, others)
    if (isOtherLoad(instruction, searches)) return rangeCases(range, { goesOnAt: at }, others)
    if (!isConditional(instruction)) at = next as number
    else if (instruction.code === codes.jumpIfEqual) {
      const { k } = instruction
      if (!others.has(k)) others.set(k, outcomeOf(question, next as number, k))
      at = otherwise as number
    } else {
      const limit = instruction.code === codes.jumpIfGreater ? instruction.k + 1 : instruction.k
      const [low, high] = [
        { ...range, to: Math.min(limit, range.to) },
        { ...range, from: Math.max(limit, range.from) },
      ]
      const below = low.from < low.to ? casesOf(question, otherwise as number, low) : []
      const above = high.from < high.to ? casesOf(question, next as number, high) : []
      return overlaid([...below, ...above], range, others)
    }
  }
}

/** What the program does with one value that is in the accumulator. */
function outcomeOf({ program, searches }: Question, start: number, value: number): Outcome {
  for (let at = start; ;) {
    const instruction = program[at] as Instruction
    if (instruction.code === codes.return) return { returns: instruction.k }
    if (isOtherLoad(instruction, searches)) return { goesOnAt: at }
    const [next, otherwise] = successors(instruction, at)
    at = (!isConditional(instruction) || holds(instruction, value) ? next : otherwise) as number
  }
}

const isOtherLoad = (instruction: Instruction, searches: Loaded): boolean =>
  instruction.code === codes.load && loadedBy(instruction) !== searches

const rangeCases = (range: Range, outcome: Outcome, others: ReadonlyMap<number, Outcome>): Case[] =>
  overlaid([{ from: range.from, outcome }], range, others)

/** Single values put over the cases of a range. */
function overlaid(cases: readonly Case[], { from, to }: Range, others: ReadonlyMap<number, Outcome>): Case[] {
  const singles = [...others].filter(([value]) => value >= from && value < to).toSorted(([a], [b]) => a - b)
  const result: Case[] = []
  let index = 0
  const caseAt = (value: number): Case => {
    while (index + 1 < cases.length && (cases[index + 1] as Case).from <= value) result.push(cases[++index] as Case)
    return cases[index] as Case
  }
  if (cases[0]) result.push(cases[0])
  for (const [value, outcome] of singles) {
    const around = caseAt(value)
    if (result.at(-1)?.from === value) result.pop()
    result.push({ from: value, outcome })
    if (value + 1 < to && cases[index + 1]?.from !== value + 1)
      result.push({ from: value + 1, outcome: around.outcome })
  }
  return [...result, ...cases.slice(index + 1)]
}

/** Neighbours that are alike become one. */
const joined = (cases: readonly Case[]): Case[] =>
  cases.filter(({ outcome }, index) => index === 0 || !isSame(outcome, cases[index - 1]?.outcome))

function isSame(one: Outcome, other: Outcome | undefined): boolean {
  if (!other) return false
  if ('returns' in one) return 'returns' in other && one.returns === other.returns
  if ('goesOnAt' in one) return 'goesOnAt' in other && one.goesOnAt === other.goesOnAt
  return 'cases' in other && JSON.stringify(one) === JSON.stringify(other)
}

type Emitted = Instruction | { readonly goesOnAt: number }

/** The search, then what is taken over of the old program. */
function assemble(program: readonly Instruction[], outcome: Outcome): Instruction[] {
  const kept = reachable(program, outcome)
  const placeOf = new Map(kept.map((at, place) => [at, place]))
  const emitted = emit(outcome)
  const head = emitted.map((one, index): Instruction => {
    if (!('goesOnAt' in one)) return one
    return jumpOver(emitted.length + (placeOf.get(one.goesOnAt) as number) - index - 1)
  })
  const tail = kept.map((at, place) => relocate(program[at] as Instruction, at, place, placeOf))
  return [...head, ...tail]
}

const jumpOver = (k: number): Instruction => ({ code: codes.jump, jt: 0, jf: 0, k })

function emit(outcome: Outcome): Emitted[] {
  if ('returns' in outcome) return [{ code: codes.return, jt: 0, jf: 0, k: outcome.returns }]
  if ('goesOnAt' in outcome) return [outcome]
  return [{ code: codes.load, jt: 0, jf: 0, k: offsets[outcome.searches] }, ...emitSearch(outcome.cases)]
}

/** A conditional jump skips no more instructions than this. */
const farthest = 255

function emitSearch(cases: Search['cases']): Emitted[] {
  const [first] = cases
  if (first && cases.length === 1) return emit(first.outcome)
  const middle = cases.length >> 1
  const [below, above] = [emitSearch(cases.slice(0, middle)), emitSearch(cases.slice(middle))]
  const jump = { code: codes.jumpIfGreaterOrEqual, jf: 0, k: (cases[middle] as Case).from }
  if (below.length <= farthest) return [{ ...jump, jt: below.length }, ...below, ...above]
  return [{ ...jump, jt: 0, jf: 1 }, jumpOver(below.length), ...below, ...above]
}

/** The instructions of the old program that are still needed, in their order. */
function reachable(program: readonly Instruction[], outcome: Outcome): number[] {
  const found = new Set<number>()
  const open = entriesOf(outcome)
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (found.has(at)) continue
    found.add(at)
    open.push(...successors(program[at] as Instruction, at))
  }
  return [...found].toSorted((a, b) => a - b)
}

function entriesOf(outcome: Outcome): number[] {
  if ('returns' in outcome) return []
  return 'goesOnAt' in outcome ? [outcome.goesOnAt] : outcome.cases.flatMap(({ outcome: one }) => entriesOf(one))
}

/** The instruction with its jumps as long as they are now; none is longer than it was, since only others were left out. */
function relocate(
  instruction: Instruction,
  at: number,
  place: number,
  placeOf: ReadonlyMap<number, number>,
): Instruction {
  const distance = (skipped: number) => (placeOf.get(at + 1 + skipped) as number) - place - 1
  if (instruction.code === codes.jump) return { ...instruction, k: distance(instruction.k) }
  if (!isConditional(instruction)) return instruction
  return { ...instruction, jt: distance(instruction.jt), jf: distance(instruction.jf) }
}
