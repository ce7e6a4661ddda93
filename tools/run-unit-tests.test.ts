import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseReport, summarize } from './unit-report.ts'

const script = fileURLToPath(new URL('run-unit-tests.ts', import.meta.url))

function run(files: Readonly<Record<string, string>>, ...flags: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'berth-unit-'))
  try {
    const paths = Object.entries(files).map(([name, work]) => {
      const path = join(folder, `${name}.test.mjs`)
      writeFileSync(path, `import { test } from 'node:test'\n${work}\n`)
      return path
    })
    const { status, stdout } = spawnSync(process.execPath, [script, ...flags, ...paths], { encoding: 'utf8' })
    const counts = [...stdout.matchAll(/^ℹ (tests|pass|fail) (\d+)$/gm)].map(([, name, value]) => `${name} ${value}`)
    return { status, stdout, counts }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const passes = "test('passes', () => {})"
const fails = "test('fails', () => { throw new Error('no such luck') })"

test('run-unit-tests sums up what its processes report, and tells of failures', () => {
  assert.deepEqual(run({ a: passes, b: passes, c: passes }).counts, ['tests 3', 'pass 3', 'fail 0'])
  const { status, stdout, counts } = run({ a: passes, b: passes, c: fails })
  assert.deepEqual([status, counts], [1, ['tests 3', 'pass 2', 'fail 1']])
  assert.match(stdout, /✖ fails[^]*no such luck/)
  assert.doesNotMatch(stdout, /passes/)
})

test('run-unit-tests passes flags on, and fails when one of its processes ends before its time', () => {
  const pattern = run({ a: passes, b: fails }, '--test-name-pattern=passes')
  assert.deepEqual([pattern.status, pattern.counts[1]], [0, 'pass 1'])
  const { status, stdout } = run({ a: passes, b: "console.log('last words'); process.kill(process.pid, 'SIGKILL')" })
  assert.equal(status, 1)
  assert.match(stdout, /last words/)
})

test('parseReport() and summarize() make one summary of several', () => {
  const report = parseReport('✔ a\nℹ tests 2\nℹ pass 1\nℹ fail 1\nℹ duration_ms 1.5\n\n✖ failing tests:\n\n✖ b\n')
  assert.deepEqual([report?.progress, report?.failures], ['✔ a', '✖ failing tests:\n\n✖ b'])
  assert.match(
    summarize(report ? [report, report] : [], 2.4),
    /^ℹ tests 4\n[^]*ℹ pass 2\nℹ fail 2\n[^]*\nℹ duration_ms 2$/,
  )
  assert.equal(parseReport('✔ a\n'), undefined)
})
