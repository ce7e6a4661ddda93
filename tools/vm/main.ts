// Boots each machine of machines.ts and runs its tests in it: main.ts [MACHINE [FILE...]]
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runInMachine } from '@berth/testing'
import { type Machine, machines } from './machines.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const minuteMs = 60_000

const [name, ...files] = process.argv.slice(2)
const chosen = machines.filter((machine) => name === undefined || machine.name === name)
if (chosen.length === 0) {
  console.error(`usage: main.ts [${machines.map((machine) => machine.name).join('|')} [FILE...]]`)
  process.exit(2)
}
for (const machine of chosen) {
  const code = await runTests(files.length > 0 ? { ...machine, files } : machine)
  if (code !== 0) process.exitCode = 1
}

async function runTests({ name: title, cgroups, files: globs }: Machine): Promise<number> {
  console.log(`-- machine ${title}`)
  const found = globs.map((glob) => globSync(glob, { cwd: repository }))
  const without = globs.find((_, i) => found[i]?.length === 0)
  if (without !== undefined) throw new Error(`no test file is ${without}`)
  const all = found.flat()
  const kernel = all.filter((file) => file.endsWith('.kernel.test.ts'))
  const others = all.filter((file) => !kernel.includes(file))
  const runs = [
    ...(kernel.length > 0 ? [`tools/run-kernel-tests ${kernel.join(' ')}`] : []),
    ...(others.length > 0 ? [`bin/node --test --test-concurrency=1 --test-timeout=600000 ${others.join(' ')}`] : []),
  ]
  const script = `cd '${repository}' && export BERTH_TEST_PATIENCE=10; failed=0\n${runs.map((run) => `${run} || failed=1\n`).join('')}exit $failed\n`
  return runInMachine({ cgroups, script, timeoutMs: 20 * minuteMs })
}
