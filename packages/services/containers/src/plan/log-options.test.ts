import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planLog, recordedAttributes } from './log-options.ts'
import type { TagSubject } from './log-tag.ts'

const planJson = (Config: Record<string, string>) => {
  const plan = planLog({ Type: 'json-file', Config })
  assert.ok(plan.driver === 'json-file')
  return plan
}
const rotation = (Config: Record<string, string>) => {
  const { maxSizeBytes, maxFiles, compress } = planJson(Config)
  return [maxSizeBytes, maxFiles, compress]
}

test('planLog() rotates by default: five compressed files of 20 MB', () => {
  assert.deepEqual(rotation({}), [20971520, 5, true])
  assert.deepEqual(rotation({ 'max-size': '1k', 'max-file': '1' }), [1024, 1, false])
  assert.deepEqual(rotation({ 'max-size': '-1' }), [0, 5, true])
  assert.deepEqual(rotation({ 'max-size': '1.5gb', compress: 'false' }), [1610612736, 5, false])
})

test('planLog() knows none', () => {
  assert.deepEqual(planLog({ Type: 'none', Config: { 'max-size': 'x' } }), { driver: 'none' })
})

test('recordedAttributes() picks labels and variables by name and by pattern', () => {
  const config = { Labels: { a: '1', b: '2', xc: '3' }, Env: ['E=e=f', 'F1=f', 'G'] }
  const subject = { name: 'web', config } as unknown as TagSubject
  const plan = planJson({ labels: 'a,zz', 'labels-regex': '^x', env: 'E,G', 'env-regex': '^F' })
  assert.deepEqual(recordedAttributes(plan, subject), { a: '1', xc: '3', E: 'e=f', F1: 'f' })
  assert.deepEqual(recordedAttributes(planJson({ tag: '{{.Name}}' }), subject), { tag: 'web' })
  assert.equal(recordedAttributes(planJson({}), subject), undefined)
  assert.equal(recordedAttributes({ driver: 'none' }, subject), undefined)
})
