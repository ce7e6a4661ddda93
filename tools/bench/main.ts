// The same work, by the same client, on several engines: medians and ratios as a markdown table.
//   npm run bench -- NAME=unix:///path[,pids=P+P]... [--only CASE,...] [--quick]
import { parseArgs } from 'node:util'
import { type Case, cases, type Scale } from './cases.ts'
import { BenchEngine } from './engine.ts'
import { addSample, renderTable } from './table.ts'

const usage = `usage: npm run bench -- NAME=unix:///path[,pids=PID+PID]... [--only CASE,...] [--quick]
cases: ${cases.map(({ name }) => name).join(' ')}`

const options = { only: { type: 'string' }, quick: { type: 'boolean', default: false } } as const

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  if (positionals.length === 0) throw new Error(usage)
  const chosen = values.only ? cases.filter(({ name }) => values.only!.split(',').includes(name)) : cases
  if (chosen.length === 0) throw new Error(usage)
  const engines = positionals.map((spec) => new BenchEngine(spec))
  const results = new Map<string, Map<string, number[]>>()
  for (const engine of engines) await engine.setUp()
  for (const one of chosen) await runCase(one, engines, values.quick, results)
  for (const engine of engines) await engine.cleanUp()
  const units = new Map(chosen.flatMap(({ metrics }) => Object.entries(metrics)))
  console.log(
    renderTable(
      engines.map(({ name }) => name),
      units,
      results,
    ),
  )
}

/** Engines take turns within each round, so that what else the machine does hits all of them. */
async function runCase(
  one: Case,
  engines: readonly BenchEngine[],
  quick: boolean,
  results: Map<string, Map<string, number[]>>,
): Promise<void> {
  const scale: Scale = quick
    ? { logMb: 30, trafficMb: 100, stopped: 50, imageMb: 100, copyMb: 200, copyFiles: 2000 }
    : { logMb: 300, trafficMb: 500, stopped: 200, imageMb: 400, copyMb: 200, copyFiles: 10_000 }
  for (let round = 0; round < (quick ? one.quickRounds : one.rounds); round++) {
    process.stderr.write(`${one.name} ${round + 1}\r`)
    for (const engine of engines) addSample(results, engine.name, await one.measure(engine, scale))
  }
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
