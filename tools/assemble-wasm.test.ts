import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { assemble, wasmSources } from './assemble-wasm.ts'

test('the WebAssembly modules are what their texts say', async () => {
  for (const source of wasmSources) {
    const committed = readFileSync(new URL(`../${source.replace(/\.wat$/, '.ts')}`, import.meta.url), 'utf8')
    assert.equal(committed, await assemble(source), `${source}: run bin/node tools/assemble-wasm.ts`)
  }
})
