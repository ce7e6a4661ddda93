import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitVolumes } from './volumes.ts'

test('splitVolumes() tells binds from anonymous volumes, and refuses what docker refuses', () => {
  assert.deepEqual(splitVolumes(['/a:/b:ro', 'data:/d', '/v']), {
    binds: ['/a:/b:ro', 'data:/d'],
    volumes: { '/v': {} },
  })
  const refusals = {
    '': 'invalid empty volume spec',
    'data:': 'invalid spec: data:: empty section between colons',
    ':/v': 'invalid spec: :/v: empty section between colons',
    'data::ro': 'invalid spec: data::ro: empty section between colons',
    'data:b:c:d': 'invalid spec: data:b:c:d: too many colons',
  }
  for (const [text, message] of Object.entries(refusals)) assert.throws(() => splitVolumes([text]), { message })
})
