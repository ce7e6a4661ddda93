import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pruneFilters } from './prune-filters.ts'

test('pruneFilters() adds the configured ones, unless the command line says the opposite', () => {
  const config = { pruneFilters: ['label=keep', 'label!=old', 'broken'] }
  assert.deepEqual(pruneFilters(config, { until: ['1h'] }), { until: ['1h'], label: ['keep'], 'label!': ['old'] })
  assert.deepEqual(pruneFilters(config, { label: ['old'] }), { label: ['old', 'keep'] })
  assert.deepEqual(pruneFilters({}, { label: ['x'] }), { label: ['x'] })
})

test('pruneFilters() passes on a filter of any name', () => {
  assert.deepEqual(pruneFilters({ pruneFilters: ['valueOf=x', 'valueOf=y'] }, {}), { valueOf: ['x', 'y'] })
})
