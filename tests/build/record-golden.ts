// Writes golden.json and golden-buildkit.json: what the engine that BERTH_TEST_HOST names, a real dockerd, makes of each case.
//   BERTH_TEST_HOST=unix:///var/run/docker.sock bin/node tests/build/record-golden.ts
import { writeFileSync } from 'node:fs'
import { EngineApi } from '@berth/testing'
import { BuildxClient } from '../peers/buildx-client.ts'
import { type BuildFacts, buildFacts } from './build-facts.ts'
import { buildxBuild, withoutSizes } from './buildx-build.ts'
import { cases } from './cases.ts'

const host = process.env['BERTH_TEST_HOST'] ?? ''
const api = new EngineApi(host)
using client = new BuildxClient({ host })
const classic: Record<string, BuildFacts> = {}
const buildkit: Record<string, BuildFacts> = {}
for (const build of cases) {
  console.log(build.name)
  if (!build.isBuildkit) classic[build.name] = await buildFacts(api, build)
  buildkit[build.name] = withoutSizes(await buildFacts(api, build, buildxBuild(client)))
}
const write = (name: string, facts: Record<string, BuildFacts>) =>
  writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(facts, null, 2)}\n`)
write('golden.json', classic)
write('golden-buildkit.json', buildkit)
