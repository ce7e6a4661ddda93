import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planProxy } from './proxy.ts'

const proxies = (no: string) => ({ http: 'plain:3128', https: 'http://secure:3128', no })
const plan = (url: string, no = '') => planProxy(new URL(url), proxies(no))

test('planProxy() chooses by scheme, and never for loopback', () => {
  assert.equal(plan('https://a/'), 'http://secure:3128')
  assert.equal(plan('http://a/'), 'http://plain:3128')
  assert.deepEqual(
    ['http://127.0.0.1:5000/', 'http://localhost/', 'https://[::1]/'].map((url) => plan(url)),
    [undefined, undefined, undefined],
  )
  assert.equal(planProxy(new URL('https://a/'), { http: 'x', https: '', no: '' }), undefined)
})

test('planProxy() spares what NO_PROXY names', () => {
  const rows: [url: string, no: string, isSpared: boolean][] = [
    ['https://a.example/', 'example', true],
    ['https://aexample/', 'example', false],
    ['https://example/', '.example', false],
    ['https://a.example/', '.example', true],
    ['https://a.example/', '*.example', true],
    ['https://a.example:5000/', 'a.example:5000', true],
    ['https://a.example/', 'a.example:5000', false],
    ['https://10.1.2.3/', 'x, 10.0.0.0/8', true],
    ['https://11.1.2.3/', '10.0.0.0/8', false],
    ['https://10.1.2.3/', '10.1.2.3', true],
    ['https://[fd00::1]/', 'fd00::/8', true],
    ['https://anything/', '*', true],
    ['https://A.Example/', 'a.example', true],
  ]
  for (const [url, no, isSpared] of rows) assert.equal(plan(url, no) === undefined, isSpared, `${url} ${no}`)
})
