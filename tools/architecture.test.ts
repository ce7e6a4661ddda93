import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkManifests, checkSource, checkTypesOnly, drawGraph, importsOf, type Package } from './architecture.ts'

const pkg = (layer: Package['layer'], name: string, dependencies: string[] = []): Package => ({
  name: `@berth/${name}`,
  layer,
  folder: layer === 'testing' ? 'testing' : `packages/${layer}/${name}`,
  dependencies,
  devDependencies: [],
})

test('importsOf() finds static, type-only, side-effect, multi-line and dynamic imports', () => {
  const source = [
    `import { a,\n  b } from '@berth/base'`,
    `import type { C } from './c.ts'`,
    `import 'node:fs'`,
    `export { d } from "./d.ts"`,
    `const e = await import('koffi')`,
    `const text = 'nothing from "here"'`,
  ].join('\n')
  assert.deepEqual(
    importsOf(source).map(({ specifier, typeOnly }) => `${specifier}${typeOnly ? ' (type)' : ''}`),
    ['@berth/base', './c.ts (type)', 'node:fs', './d.ts', 'koffi'],
  )
})

test('checkManifests() refuses an upward arrow, a package without a row, and a cycle', () => {
  const problems = checkManifests([
    pkg('core', 'base', ['@berth/oci']),
    pkg('core', 'oci', ['@berth/base']),
    pkg('apps', 'novel'),
    pkg('apps', 'cli', ['@berth/base']),
  ])
  assert.equal(problems.length, 3)
  assert.match(problems[0]!, /base -> oci is no arrow/)
  assert.match(problems[1]!, /novel has no row/)
  assert.match(problems[2]!, /cycle: @berth\/base -> @berth\/oci -> @berth\/base/)
})

test('checkSource() refuses what is undeclared, deep, outside, or another’s alone', () => {
  const p = pkg('services', 'runtime', ['@berth/base', '@berth/events', 'koffi'])
  const at = 'packages/services/runtime/src/a.ts'
  const check = (specifier: string, file = at): string[] => checkSource(p, file, `import { x } from '${specifier}'`)
  assert.deepEqual(check('@berth/base'), [])
  assert.deepEqual(check('node:fs'), [])
  assert.deepEqual(check('./b.ts'), [])
  assert.match(check('@berth/oci')[0]!, /not declared/)
  assert.match(check('@berth/base/src/errors.ts')[0]!, /behind a package/)
  assert.match(check('../../storage/src/index.ts')[0]!, /reaches into another package/)
  assert.match(check('./b')[0]!, /write the file extension/)
  assert.match(check('koffi')[0]!, /only linux imports it/)
  assert.match(check('@berth/events', 'packages/services/runtime/src/supervisor/main.ts')[0]!, /may import base, oci/)
})

test('checkTypesOnly() lets the API know the services by type only', () => {
  const services = [pkg('services', 'images'), pkg('apps', 'api', ['@berth/images'])]
  const check = (source: string): string[] =>
    checkTypesOnly(services, services[1]!, 'packages/apps/api/src/a.ts', source)
  assert.deepEqual(check(`import type { Images } from '@berth/images'`), [])
  assert.match(check(`import { openImages } from '@berth/images'`)[0]!, /import type only/)
})

test('drawGraph() leaves out the arrows that others imply', () => {
  const graph = drawGraph([
    pkg('core', 'base'),
    pkg('core', 'oci', ['@berth/base']),
    pkg('system', 'linux', ['@berth/oci', '@berth/base']),
  ])
  assert.match(graph, /linux --> oci/)
  assert.doesNotMatch(graph, /linux --> base/)
})
