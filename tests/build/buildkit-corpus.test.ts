import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { useEngine } from '@berth/testing'
import { BuildxClient } from '../peers/buildx-client.ts'
import { type BuildFacts, buildFacts } from './build-facts.ts'
import { buildxBuild, withoutSizes } from './buildx-build.ts'
import { cases } from './cases.ts'

// What a real dockerd made of the same Dockerfiles, built by the same buildx: record-golden.ts writes it. Differences that
// are meant stand in docs/compatibility.md, and in differences-buildkit.json by the name of their case.
type Facts = Record<string, Partial<BuildFacts>>
const read = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')) as Facts
const golden = read('golden-buildkit.json')
const differences = read('differences-buildkit.json')

const engine = useEngine()
let client: BuildxClient
before(() => void (client = new BuildxClient(engine)))
after(() => client?.[Symbol.dispose]())

for (const build of cases) {
  test(`buildx: ${build.name} comes to what Docker makes of it`, async () => {
    const facts = withoutSizes(await buildFacts(engine.api, build, buildxBuild(client)))
    assert.deepEqual(facts, { ...golden[build.name], ...differences[build.name] })
  })
}
