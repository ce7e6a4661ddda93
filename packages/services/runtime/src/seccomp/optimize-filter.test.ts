import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { codes, decodeProgram, encodeProgram, holds, type Instruction, isConditional } from './filter-program.ts'
import { optimizeFilter } from './optimize-filter.ts'
import { numbers } from '../testing/numbers.ts'

const allow = 0x7fff0000
const refuse = 0x00050001
const x64 = 0xc000003e
const x86 = 0x40000003

/** What the kernel's interpreter returns for a system call: number, architecture, then 32-bit halves of what follows. */
function run(program: readonly Instruction[], data: readonly number[]): number {
  let accumulator = 0
  for (let at = 0, steps = 0; steps <= program.length; steps++) {
    const instruction = program[at]
    if (!instruction) throw new Error(`left the program at ${at}`)
    const { code, jt, jf, k } = instruction
    if (code === codes.return) return k
    if (code === codes.load) accumulator = data[k / 4] ?? 0
    if (code === codes.and) accumulator = (accumulator & k) >>> 0
    at += 1 + (code === codes.jump ? k : isConditional(instruction) ? (holds(instruction, accumulator) ? jt : jf) : 0)
  }
  throw new Error('a loop')
}

const one = (code: number, k: number, jt = 0, jf = 0): Instruction => ({ code, jt, jf, k })

/** As libseccomp writes them: numbers one by one, some with a look at an argument. */
function linearProgram(numbers: readonly number[]): Instruction[] {
  const chain = numbers.map((number, index) => one(codes.jumpIfEqual, number, numbers.length - index - 1 + 3, 0))
  return [
    one(codes.load, 4),
    one(codes.jumpIfEqual, x64, 0, chain.length + 5),
    one(codes.load, 0),
    ...chain,
    one(codes.jumpIfEqual, 1000, 0, 1),
    one(codes.load, 16),
    one(codes.jumpIfEqual, 7, 1, 0),
    one(codes.return, refuse),
    one(codes.return, allow),
  ]
}

const optimized = (program: readonly Instruction[]): Instruction[] =>
  decodeProgram(optimizeFilter(encodeProgram(program))) ?? []

test('optimizeFilter() makes a search of comparisons one by one', () => {
  const program = linearProgram(Array.from({ length: 200 }, (_, index) => index))
  const short = optimized(program)
  assert.ok(short.length < 20, `${short.length} instructions`)
  for (let number = 0; number < 1010; number++) {
    for (const architecture of [x64, x86])
      for (const argument of [0, 7]) {
        const data = [number, architecture, 0, 0, argument, 0]
        assert.equal(run(short, data), run(program, data), `${data.join(' ')}`)
      }
  }
})

test('optimizeFilter() decides as the filter did, for thousands of programs', () => {
  const next = numbers(7)
  let shorter = 0
  for (let round = 0; round < 2000; round++) {
    const program = randomProgram(next)
    const short = optimized(program)
    if (short.length < program.length) shorter++
    for (let call = 0; call < 40; call++) {
      const data = [
        pick(interesting, next),
        pick(architectures, next),
        0,
        0,
        pick(interesting, next),
        pick(interesting, next),
      ]
      assert.equal(run(short, data), run(program, data), JSON.stringify({ round, data, program }))
    }
  }
  assert.ok(shorter > 200, `${shorter} became shorter`)
})

test('optimizeFilter() decides as what libseccomp made of the default profile, for every system call', () => {
  const filter = readFileSync(join(import.meta.dirname, 'testdata/libseccomp-default.bpf'))
  const program = decodeProgram(filter) ?? []
  const short = optimized(program)
  assert.ok(short.length < program.length * 0.7, `${short.length} instructions`)
  // clone()'s namespaces, personality()'s answers, socket()'s families
  const args = [0, 1, 2, 8, 0x20000, 0x20008, 0xffffffff, 16, 38, 40, 0x10000000, 0x7e020000, 0x7c020000]
  const around = (number: number) => Array.from({ length: 600 }, (_, index) => (number + index) % 2 ** 32)
  for (const architecture of [x64, x86, 0, 0xc00000b7, 0xffffffff]) {
    for (const number of [...around(0), ...around(0x40000000), 0x7fffffff, 0x80000000, ...around(0xfffffff0)])
      for (const arg of args) {
        const data = [number, architecture, 0, 0, ...[0, 1, 2, 3, 4, 5].flatMap(() => [arg, 0])]
        assert.equal(run(short, data), run(program, data), data.join(' '))
      }
  }
})

test('optimizeFilter() leaves alone what it does not know', () => {
  const known = encodeProgram(linearProgram(Array.from({ length: 50 }, (_, index) => index)))
  const broken: [string, Buffer][] = [
    ['cut', known.subarray(0, -3)],
    ['empty', Buffer.alloc(0)],
    ['no load first', encodeProgram([one(codes.jumpIfEqual, 1), one(codes.return, allow)])],
    ['an unknown instruction', encodeProgram([one(codes.load, 0), one(0x87, 0), one(codes.return, allow)])],
    [
      'a jump out of it',
      encodeProgram([one(codes.load, 0), one(codes.jumpIfEqual, 1, 9, 0), one(codes.return, allow)]),
    ],
    ['no end', encodeProgram([one(codes.load, 0)])],
    [
      'a number that is computed with',
      encodeProgram([one(codes.load, 0), one(codes.and, 1), one(codes.jumpIfEqual, 1), one(codes.return, allow)]),
    ],
  ]
  for (const [what, filter] of broken) assert.equal(optimizeFilter(filter), filter, what)
})

type Next = (bound: number) => number
const pick = <T>(from: readonly T[], next: Next): T => from[next(from.length)] as T
const interesting = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0x40000000, 0x40000001, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
]
const architectures = [x64, x86, 0, 0xffffffff, x64 + 1]

/** Loads, comparisons and jumps at random, all forward and to the end at most. */
function randomProgram(next: Next): Instruction[] {
  const length = 5 + next(40)
  const body = Array.from({ length }, (_, at): Instruction => {
    const skip = () => next(Math.min(6, length - at))
    const kind = next(10)
    if (at === 0) return one(codes.load, pick([0, 4], next))
    if (kind === 0) return one(codes.load, pick([0, 4, 16, 20], next))
    if (kind === 1) return one(codes.return, pick([allow, refuse], next))
    if (kind === 2) return one(codes.jump, skip())
    const code = pick([codes.jumpIfEqual, codes.jumpIfEqual, codes.jumpIfGreater, codes.jumpIfGreaterOrEqual], next)
    return one(code, pick([...interesting, ...architectures], next), skip(), skip())
  })
  return [...body, one(codes.return, refuse)]
}
