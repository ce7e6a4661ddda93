// Writes golden.json: what the engine that BERTH_TEST_HOST names, a real dockerd, says of the scenario.
//   BERTH_TEST_HOST=unix:///var/run/docker.sock bin/node tests/changes/record-golden.ts
import { writeFileSync } from 'node:fs'
import { EngineApi, loadFixture } from '@berth/testing'
import { changeFacts } from './change-facts.ts'

const api = new EngineApi(process.env['BERTH_TEST_HOST'] ?? '')
await loadFixture(api, 'busybox')
const facts = await changeFacts(api)
writeFileSync(process.argv[2] ?? new URL('golden.json', import.meta.url), `${JSON.stringify(facts, null, 2)}\n`)
