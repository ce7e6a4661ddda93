import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readConfigFile } from './config-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'berth-config-'))
after(() => rmSync(folder, { recursive: true }))

function read(text: string): { config: object; warnings: string } {
  writeFileSync(join(folder, 'config.json'), text)
  let warnings = ''
  const config = readConfigFile(folder, (warning) => (warnings += warning))
  return { config, warnings: warnings.replaceAll(folder, '') }
}

test('readConfigFile() leaves out a field of another type, and says which', () => {
  assert.deepEqual(read('{"psFormat": 1, "detachKeys": "a", "other": 5}'), {
    config: { detachKeys: 'a', other: 5 },
    warnings:
      'WARNING: Error parsing config file (/config.json): json: cannot unmarshal number into Go struct field ConfigFile.psFormat of type string\n',
  })
  for (const bad of [
    '"proxies": []',
    '"proxies": {"default": {"httpProxy": 1}}',
    '"pruneFilters": "x"',
    '"aliases": {"a": true}',
  ]) {
    const { config, warnings } = read(`{${bad}, "detachKeys": "a"}`)
    assert.deepEqual(config, { detachKeys: 'a' }, bad)
    assert.match(warnings, /^WARNING: Error parsing config file /)
  }
  const good = { proxies: { default: { noProxy: 'x' } }, plugins: { p: { hooks: 'a' } }, psFormat: null }
  assert.deepEqual(read(JSON.stringify(good)), { config: good, warnings: '' })
})

test('readConfigFile() tells of what is no JSON', () => {
  const { config, warnings } = read('{')
  assert.deepEqual(config, {})
  assert.match(warnings, /^WARNING: Error parsing config file \(\/config.json\): /)
})
