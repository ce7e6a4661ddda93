import { applyChanges } from '@berth/dockerfile'
import type { ImageRunConfig } from '@berth/oci'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergeRunConfig } from './merge-run-config.ts'

const base: ImageRunConfig = { Env: ['PATH=/bin'], Cmd: ['a', 'b'], Entrypoint: ['top'] }

test('mergeRunConfig() brings back the command that an empty ENTRYPOINT dropped', () => {
  assert.deepEqual(mergeRunConfig(applyChanges({}, ['ENTRYPOINT []']), base), base)
  assert.deepEqual(mergeRunConfig({ Entrypoint: [] }, base), { ...base, Entrypoint: [] })
})

test('mergeRunConfig() does not give the base its command when an entrypoint is set', () => {
  assert.deepEqual(mergeRunConfig(applyChanges(base, ['ENTRYPOINT ["z"]']), base), {
    ...base,
    Entrypoint: ['z'],
    Cmd: null,
  })
})

test('mergeRunConfig() joins maps and environments, its own first', () => {
  const own = { Env: ['A=1', 'B=2'], Labels: { z: '1' }, ExposedPorts: { '80/tcp': {} }, User: 'u', Cmd: ['q'] }
  const container = {
    Env: ['A=0', 'Q=1'],
    Labels: { z: '0', y: '' },
    ExposedPorts: { '22/tcp': {} },
    User: 'v',
    WorkingDir: '/w',
  }
  assert.deepEqual(mergeRunConfig(own, container), {
    Env: ['A=1', 'B=2', 'Q=1'],
    Labels: { z: '1', y: '' },
    ExposedPorts: { '22/tcp': {}, '80/tcp': {} },
    User: 'u',
    Cmd: ['q'],
    WorkingDir: '/w',
  })
})
