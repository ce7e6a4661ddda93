// The unit tests, in as many processes at a time as there are cores; prints what failed, and one summary.
//   npm run unit [-- FLAG... FILE...]      flags of `node --test`, values behind a `=`; default: every file that needs no root
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { parseReport, type Report, summarize } from './unit-report.ts'

const most = 4
const everything = ['packages', 'testing', 'tools'].map((folder) => `${folder}/**/!(*.kernel).test.ts`)
/** What types are stripped from once need not be at the next run, nor in the commands that tests start. */
const compileCache = fileURLToPath(new URL('../node_modules/.cache/berth-tests', import.meta.url))
const argv = process.argv.slice(2)
const flags = argv.filter((argument) => argument.startsWith('-'))
const files = argv.filter((argument) => !argument.startsWith('-'))
const isOwnReport = flags.some((flag) => flag.startsWith('--test-reporter'))

const begunMs = performance.now()
const count = Math.min(availableParallelism(), most)
const shards = await Promise.all(Array.from({ length: count }, (_, index) => runShard(`${index + 1}/${count}`)))
for (const { output, report } of shards) if (isOwnReport || !report) console.log(output)
const reports = shards.flatMap(({ report }) => report ?? [])
for (const { failures } of reports) if (failures !== '') console.log(`${failures}\n`)
console.log(summarize(reports, performance.now() - begunMs))
process.exitCode = shards.every(({ succeeded }) => succeeded) ? 0 : 1

/** One process for all files of a part of them: to begin one for each takes longer than the tests. */
async function runShard(
  shard: string,
): Promise<{ readonly output: string; readonly report: Report | undefined; readonly succeeded: boolean }> {
  const patterns = files.length > 0 ? files : everything
  const args = ['--test', '--test-isolation=none', `--test-shard=${shard}`, ...flags, ...patterns]
  // Node's runner starts no other where it finds itself inside of one.
  const { NODE_TEST_CONTEXT: _, ...own } = process.env
  const env = { NODE_COMPILE_CACHE: compileCache, ...own }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const end = () => child.kill()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  const output = await text(child.stdout)
  const succeeded = (await closed) === 0
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end)
  const report = parseReport(output)
  return { output, report, succeeded: succeeded && report !== undefined }
}
