import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseChallenge, parseTokenRefusal } from './challenge.ts'
import { unitedScopes } from './scope.ts'

test('parseChallenge() prefers a token, and reads its parameters', () => {
  const bearer = 'Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull"'
  const expected = {
    scheme: 'bearer',
    realm: 'https://auth.example/token',
    service: 'reg',
    scope: 'repository:a/b:pull',
  }
  assert.deepEqual(parseChallenge(bearer), expected)
  assert.deepEqual(parseChallenge(`Basic realm="x", ${bearer}`), expected)
  assert.deepEqual(parseChallenge('bearer realm=https://a/t , error="invalid_token"'), {
    scheme: 'bearer',
    realm: 'https://a/t',
    service: '',
    scope: '',
  })
})

test('parseChallenge() takes Basic, and nothing that it does not know', () => {
  assert.deepEqual(parseChallenge('Basic realm="a, Bearer b"'), { scheme: 'basic' })
  assert.deepEqual(parseChallenge('basic'), { scheme: 'basic' })
  assert.deepEqual(
    [undefined, '', 'Negotiate', 'Bearer', 'Bearer service="x"', `Bearer realm="${'a'.repeat(9000)}"`].map(
      parseChallenge,
    ),
    [undefined, undefined, undefined, undefined, undefined, undefined],
  )
})

test('parseTokenRefusal() tells why a token was of no use, and nothing else', () => {
  const header = (rest: string) => `Bearer realm="https://a/t",service="s",scope="repository:a:pull"${rest}`
  assert.deepEqual(
    [
      header(',error="insufficient_scope"'),
      header(', error=invalid_token, error_description="it \\"ended\\""'),
      header(',error="invalid_request"'),
      header(''),
      'Basic realm="a", error="insufficient_scope"',
      undefined,
    ].map(parseTokenRefusal),
    [
      { error: 'insufficient_scope', description: '' },
      { error: 'invalid_token', description: 'it "ended"' },
      undefined,
      undefined,
      undefined,
      undefined,
    ],
  )
})

test('unitedScopes() adds what the registry asks for beyond our own', () => {
  assert.deepEqual(unitedScopes(['repository:a:pull,push'], 'repository:a:pull'), ['repository:a:pull,push'])
  assert.deepEqual(unitedScopes(['repository:a:pull'], 'repository:a:pull,push registry:catalog:*'), [
    'registry:catalog:*',
    'repository:a:pull',
    'repository:a:pull,push',
  ])
})
