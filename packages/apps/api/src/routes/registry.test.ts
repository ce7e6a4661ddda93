import { unauthorized } from '@berth/base'
import { encodeAuthConfig } from '@berth/engine-api'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageId, serve } from '../testing/fakes.ts'

test('POST /auth answers with the identity token, or the registry’s refusal', async () => {
  await using api = await serve({
    images: {
      checkCredentials: ({ username, password, serveraddress }) =>
        password === 'good'
          ? Promise.resolve(`${username}@${serveraddress}`)
          : Promise.reject(unauthorized('login attempt failed')),
    },
  })
  const login = (password: string) => api.call('POST', '/auth', { username: 'me', password, serveraddress: 'reg' })
  const [good, bad] = [await login('good'), await login('bad')]
  assert.deepEqual([good.status, JSON.parse(good.text)], [200, { IdentityToken: 'me@reg', Status: 'Login Succeeded' }])
  assert.deepEqual([bad.status, JSON.parse(bad.text)], [401, { message: 'login attempt failed' }])
  assert.equal((await api.call('POST', '/auth')).status, 400)
})

test('GET /distribution/{name}/json takes names with slashes', async () => {
  const asked: unknown[] = []
  await using api = await serve({
    images: {
      distribution(name, { auth }) {
        asked.push([name, auth])
        const descriptor = { mediaType: 'm', digest: imageId, size: 3, annotations: { a: 'b' } }
        return Promise.resolve({ descriptor, platforms: [{ os: 'linux', architecture: 'amd64' }] })
      },
    },
  })
  const headers = { 'X-Registry-Auth': encodeAuthConfig({ identitytoken: 't' }) }
  const { text } = await api.call('GET', '/distribution/reg:5000/a/b:1/json', undefined, headers)
  assert.deepEqual(JSON.parse(text), {
    Descriptor: { mediaType: 'm', digest: imageId, size: 3 },
    Platforms: [{ os: 'linux', architecture: 'amd64' }],
  })
  assert.deepEqual(asked, [['reg:5000/a/b:1', { identitytoken: 't' }]])
  assert.equal((await api.call('GET', '/distribution/a')).status, 404)
})

test('GET /images/search filters what the registry found', async () => {
  const result = (name: string, stars: number, is_official = false) => ({
    name,
    description: '',
    star_count: stars,
    is_official,
    is_automated: false,
  })
  const wishes: unknown[] = []
  await using api = await serve({
    images: {
      search({ term, limit }) {
        wishes.push([term, limit])
        return Promise.resolve([result('a', 10, true), result('b', 5)])
      },
    },
  })
  const names = async (query: string) =>
    ((await api.json(`/images/search?term=x${query}`)) as { name: string }[]).map(({ name }) => name)
  assert.deepEqual(await names(''), ['a', 'b'])
  assert.deepEqual(await names('&limit=3&filters={"stars":["7"]}'), ['a'])
  assert.deepEqual(await names('&filters={"is-official":["false"]}'), ['b'])
  assert.deepEqual(wishes.slice(0, 2), [
    ['x', 25],
    ['x', 3],
  ])
  for (const [query, message] of [
    ['limit=101', 'limit 101 is outside the range of [1, 100]'],
    ['limit=a', 'invalid limit specified: strconv.Atoi: parsing "a": invalid syntax'],
    ['filters={"a":["b"]}', "invalid filter 'a'"],
    ['filters={"stars":["b"]}', `invalid filter 'stars=b': strconv.Atoi: parsing "b": invalid syntax`],
  ]) {
    const answer = await api.call('GET', `/images/search?term=x&${query}`)
    assert.deepEqual([answer.status, JSON.parse(answer.text)], [400, { message }])
  }
})
