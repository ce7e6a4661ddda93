import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { useEngine } from '@berth/testing'
import { type BuildFacts, buildFacts } from './build-facts.ts'
import { cases } from './cases.ts'

// What a real dockerd made of the same Dockerfiles: record-golden.ts writes it. Differences that are meant stand in
// docs/compatibility.md, and here by the name of their case.
const golden = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8')) as Record<string, BuildFacts>
const differences = JSON.parse(readFileSync(new URL('differences.json', import.meta.url), 'utf8')) as Record<
  string,
  Partial<BuildFacts>
>

const engine = useEngine()

for (const build of cases.filter(({ isBuildkit }) => !isBuildkit)) {
  test(`POST /build: ${build.name} comes to what Docker makes of it`, async () => {
    assert.deepEqual(await buildFacts(engine.api, build), { ...golden[build.name], ...differences[build.name] })
  })
}
