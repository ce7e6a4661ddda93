import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { buildRuleset } from './build-ruleset.ts'
import { rulesets } from './fixtures.ts'

for (const [name, input] of Object.entries(rulesets)) {
  test(`buildRuleset() writes the rules of golden/${name}.nft`, () => {
    assert.equal(buildRuleset(input), readFileSync(new URL(`golden/${name}.nft`, import.meta.url), 'utf8'))
  })
}

test('buildRuleset() refuses a bridge whose name nft could take for more', () => {
  for (const bridge of ['a"b', 'a b', '', 'br;drop', 'a-name-too-long-x']) {
    const networks = [{ bridge, icc: true, isInternal: false }]
    assert.throws(() => buildRuleset({ networks, elements: [], apiPorts: [] }), { kind: 'invalid' })
  }
})
