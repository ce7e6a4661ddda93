import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { messageOf } from '@berth/base'
import { command, type BakeFlags } from '../commands/builder/bake.ts'
import { parseFlags } from '../flags/parse-flags.ts'
import { readBakeFiles } from './bake-files.ts'
import { asBakeFailure } from './plan-bake.ts'
import { prepareBake } from './prepare-bake.ts'

interface Case {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** HCL goes on after what it could not parse; we end there. */
  readonly firstProblem?: true
}

type Answer = { readonly stdout: string } | { readonly error: string }

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`corpus/${name}`, import.meta.url), 'utf8'))
const cases = read('cases.json') as readonly Case[]
/** Recorded from the real plugin by tools/record-bake-corpus.ts. */
const golden = read('golden.json') as Readonly<Record<string, Answer>>

function answer({ files, args = ['--print'], env = {} }: Case): Answer {
  const folder = mkdtempSync(join(tmpdir(), 'berth-bake-'))
  const before = process.cwd()
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    process.chdir(folder)
    const parsed = parseFlags(command.flags, args, true)
    const flags = parsed.flags as unknown as BakeFlags
    const surroundings = { HOME: folder, PATH: '/usr/bin:/bin', ...env }
    const prepared = prepareBake(parsed.args, flags, readBakeFiles(flags.file, surroundings), surroundings)
    return { stdout: 'answer' in prepared ? prepared.answer : '' }
  } catch (error) {
    return { error: messageOf(asBakeFailure(error)) }
  } finally {
    process.chdir(before)
    rmSync(folder, { recursive: true })
  }
}

const withoutOthers = (recorded: Answer): Answer =>
  'error' in recorded ? { error: recorded.error.replace(/, and \d+ other diagnostic\(s\)$/, '') } : recorded

for (const one of cases) {
  test(`bake answers as buildx does: ${one.name}`, () => {
    assert.deepEqual(answer(one), one.firstProblem === true ? withoutOthers(golden[one.name]!) : golden[one.name])
  })
}
