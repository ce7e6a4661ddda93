import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanedTarget, createRouter, parseTarget, type Route } from './router.ts'

test('parseTarget() takes version, path and query apart', () => {
  assert.deepEqual(parseTarget('/v1.44/containers/json?all=1'), {
    path: '/containers/json',
    search: 'all=1',
    version: '1.44',
  })
  assert.deepEqual(parseTarget('/version'), { path: '/version', search: '', version: undefined })
  assert.deepEqual(parseTarget('/volumes?x'), { path: '/volumes', search: 'x', version: undefined })
  assert.deepEqual(parseTarget('http://d:1/v1.44/info?a'), { path: '/info', search: 'a', version: '1.44' })
  assert.deepEqual(parseTarget('*'), { path: '/', search: '', version: undefined })
})

test('cleanedTarget() joins empty segments and leaves the query alone', () => {
  assert.equal(cleanedTarget('/a//b///c?d=//e'), '/a/b/c?d=//e')
  assert.equal(cleanedTarget('/a/b?d=//e'), undefined)
})

test('Router.find() prefers fixed paths to names and names to the rest', () => {
  const route = (path: string): Route => ({ method: 'GET', path, handler: () => undefined })
  const router = createRouter([route('/images/json'), route('/images/*'), route('/containers/:name/json')])
  const found = (path: string) => {
    const match = router.find('GET', path)
    return match && [match.route.path, { ...match.params }]
  }
  assert.deepEqual(found('/images/json'), ['/images/json', {}])
  assert.deepEqual(found('/images/a/json'), ['/images/*', { '*': 'a/json' }])
  assert.deepEqual(found('/containers/a%20b/json'), ['/containers/:name/json', { name: 'a b' }])
  assert.deepEqual(found(`/containers/${'x'.repeat(2000)}/json`)?.[0], '/containers/:name/json')
  assert.equal(found('/containers/a/nope'), undefined)
  assert.equal(router.find('POST', '/images/json'), undefined)
})
