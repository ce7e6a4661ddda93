// Writes golden.json: what the engine that BERTH_TEST_HOST names, a real dockerd, makes of each case.
//   BERTH_TEST_HOST=unix:///var/run/docker.sock bin/node tests/build/record-golden.ts
import { writeFileSync } from 'node:fs'
import { EngineApi } from '@berth/testing'
import { type BuildFacts, buildFacts } from './build-facts.ts'
import { cases } from './cases.ts'

const api = new EngineApi(process.env['BERTH_TEST_HOST'] ?? '')
const golden: Record<string, BuildFacts> = {}
for (const build of cases) {
  console.log(build.name)
  golden[build.name] = await buildFacts(api, build)
}
writeFileSync(new URL('golden.json', import.meta.url), `${JSON.stringify(golden, null, 2)}\n`)
