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
    '"aliases": {"builder": true}',
  ]) {
    const { config, warnings } = read(`{${bad}, "detachKeys": "a"}`)
    assert.deepEqual(config, { detachKeys: 'a' }, bad)
    assert.match(warnings, /^WARNING: Error parsing config file /)
  }
  const good = { proxies: { default: { noProxy: 'x' } }, plugins: { p: { hooks: 'a' } }, psFormat: '' }
  assert.deepEqual(read(JSON.stringify(good)), { config: good, warnings: '' })
})

test('readConfigFile() takes null as Go does: for nothing as a member, for an empty value in a map', () => {
  const members = ['HttpHeaders', 'auths', 'credHelpers', 'credsStore', 'psFormat', 'aliases', 'proxies', 'plugins']
  const nulls = Object.fromEntries(members.map((name) => [name, null]))
  assert.deepEqual(read(JSON.stringify({ ...nulls, detachKeys: 'a' })), { config: { detachKeys: 'a' }, warnings: '' })
  const inside = {
    HttpHeaders: { 'X-A': null, 'X-B': 'b' },
    auths: { reg: null, other: { auth: null, username: 'ann' } },
    credHelpers: { reg: null },
    pruneFilters: [null, 'x'],
    proxies: { default: { httpProxy: null }, other: null },
    plugins: { p: null },
    unknown: null,
  }
  assert.deepEqual(read(JSON.stringify(inside)), {
    config: {
      HttpHeaders: { 'X-A': '', 'X-B': 'b' },
      auths: { reg: {}, other: { username: 'ann' } },
      credHelpers: { reg: '' },
      pruneFilters: ['', 'x'],
      proxies: { default: {}, other: {} },
      plugins: { p: {} },
      unknown: null,
    },
    warnings: '',
  })
})

/** What is said of a text, without what every warning begins with. */
function problemOf(text: string): string {
  return read(text).warnings.replace('WARNING: Error parsing config file (/config.json): ', '').trimEnd()
}

test('readConfigFile() tells of what is no JSON in the words of Go', () => {
  assert.deepEqual(read('{').config, {})
  assert.deepEqual(['{', '', ' \n', 'null', "{'a':1}", '{"a":1,}', '[]', '7', '// x'].map(problemOf), [
    'unexpected EOF',
    '',
    '',
    '',
    String.raw`invalid character '\'' looking for beginning of object key string`,
    "invalid character '}' looking for beginning of object key string",
    'json: cannot unmarshal array into Go value of type configfile.ConfigFile',
    'json: cannot unmarshal number into Go value of type configfile.ConfigFile',
    "invalid character '/' looking for beginning of value",
  ])
})

test('readConfigFile() names the field of another type by its whole path', () => {
  const field = (path: string, kind: string, type: string): string =>
    `json: cannot unmarshal ${kind} into Go struct field ConfigFile.${path} of type ${type}`
  assert.deepEqual(
    [
      '{"proxies":{"default":{"httpProxy":1}}}',
      '{"proxies":{"default":7}}',
      '{"auths":7}',
      '{"auths":{"x":{"auth":7}}}',
      '{"credsStore":1}',
      '{"plugins":{"a":7}}',
      '{"features":{"a":true}}',
      '{"servicesFormat":1}',
    ].map(problemOf),
    [
      field('proxies.default.httpProxy', 'number', 'string'),
      field('proxies.default', 'number', 'configfile.ProxyConfig'),
      field('auths', 'number', 'map[string]types.AuthConfig'),
      field('auths.x.auth', 'number', 'string'),
      field('credsStore', 'number', 'string'),
      field('plugins.a', 'number', 'map[string]string'),
      field('features.a', 'bool', 'string'),
      field('servicesFormat', 'number', 'string'),
    ],
  )
})

test('readConfigFile() tells of credentials that are none, and not what they are', () => {
  assert.deepEqual(
    ['!!!', 'YQ==', 'YTpi', ''].map((auth) => problemOf(JSON.stringify({ auths: { x: { auth } } }))),
    ['illegal base64 data at input byte 0', 'Invalid auth configuration file', '', ''],
  )
})

test('readConfigFile() refuses aliases of other commands than docker lets one have', () => {
  assert.deepEqual(read('{"aliases":{"builder":"buildx"}}').warnings, '')
  assert.throws(() => read('{"aliases":{"foo":"ps"}}'), /^Error: not allowed to alias "foo" \(allowed: builder\)$/)
})

test('readConfigFile() takes what a type does not have as that, whatever it is called', () => {
  const text = '{"auths": {"x": {"constructor": 1, "auth": "YTpi"}}}'
  assert.deepEqual(read(text), { config: JSON.parse(text) as object, warnings: '' })
})
