import assert from 'node:assert/strict'
import { test } from 'node:test'
import { question, readAnswer } from './fixtures.ts'
import {
  addressData,
  addressOfReverseName,
  buildRefusal,
  buildResponse,
  isResponseTo,
  nameData,
  parseQuery,
  type Query,
} from './message.ts'

const parsed = (message: Buffer): Query => {
  const query = parseQuery(message)
  assert.ok(query && !('code' in query))
  return query
}

test('parseQuery() reads names in lower case, types, and what the client takes', () => {
  const { id, name, type, udpBytes, hasEdns, recursionDesired } = parsed(question('Db.Example', 28, { edns: 4096 }))
  assert.deepEqual([id, name, type, udpBytes, hasEdns, recursionDesired], [7, 'db.example', 28, 4096, true, true])
  assert.equal(parsed(question('db', 1)).udpBytes, 512)
  assert.equal(parsed(question('db', 1, { edns: 100 })).udpBytes, 512)
})

test('parseQuery() answers nothing to answers, and refuses what is no single question', () => {
  const answer = question('a', 1)
  answer[2] = 0x81
  const notify = question('a', 1)
  notify[2] = 0x20
  const two = question('a', 1)
  two[5] = 2
  const pointer = Buffer.concat([question('a', 1).subarray(0, 12), Buffer.of(0xc0, 12, 0, 1, 0, 1)])
  const cut = question('abc', 1).subarray(0, 15)
  assert.deepEqual([answer, Buffer.alloc(3)].map(parseQuery), [undefined, undefined])
  assert.deepEqual([notify, two, pointer, cut].map(parseQuery), [
    { id: 7, code: 4 },
    { id: 7, code: 1 },
    { id: 7, code: 1 },
    { id: 7, code: 1 },
  ])
  assert.equal(buildRefusal({ id: 7, code: 1 }).toString('hex'), '000780810000000000000000')
})

test('buildResponse() repeats the question and carries the records', () => {
  const query = parsed(question('db', 1, { edns: 1232 }))
  const answer = buildResponse(query, { code: 0, records: ['10.0.0.1', '10.0.0.2'].map(addressData) })
  assert.deepEqual(readAnswer(answer), { id: 7, code: 0, isTruncated: false, records: ['10.0.0.1', '10.0.0.2'] })
  assert.equal(isResponseTo(answer, query), true)
  assert.equal(isResponseTo(answer, { ...query, id: 8 }), false)
  assert.equal(isResponseTo(answer, { ...query, question: parsed(question('dc', 1)).question }), false)
})

test('buildResponse() says by a flag that not all fits', () => {
  const records = Array.from({ length: 100 }, (_, index) => addressData(`10.0.0.${index}`))
  const query = parsed(question('many', 1))
  const answer = buildResponse(query, { code: 0, records }, query.udpBytes)
  const { isTruncated, records: carried } = readAnswer(answer)
  assert.deepEqual([isTruncated, carried.length, answer.length <= 512], [true, 30, true])
  assert.equal(readAnswer(buildResponse(query, { code: 0, records })).records.length, 100)
})

test('addressOfReverseName() and nameData() take both families, and nothing else', () => {
  const v6 = `${'2.0.0.0.'.padEnd(48, '0.')}0.0.0.0.0.0.d.f.ip6.arpa`
  assert.equal(addressOfReverseName('2.0.18.172.in-addr.arpa'), '172.18.0.2')
  assert.equal(addressOfReverseName(v6)?.startsWith('fd00:'), true)
  for (const name of ['172.in-addr.arpa', 'x.ip6.arpa', 'a.b', '']) assert.equal(addressOfReverseName(name), undefined)
  assert.equal(nameData('a.bc')?.toString('hex'), '016102626300')
  for (const name of ['a..b', '', 'x'.repeat(64), Array(60).fill('abcde').join('.')])
    assert.equal(nameData(name), undefined)
})

test('parseQuery() and buildResponse() outlive every message, and never read past its end', () => {
  let seed = 1
  const random = (below: number) => (seed = (seed * 48_271) % 0x7fffffff) % below
  const samples = [question('db', 1), question('a.b.c', 28, { edns: 4096 }), question('2.0.18.172.in-addr.arpa', 12)]
  for (let round = 0; round < 50_000; round++) {
    const message = Buffer.from(samples[round % samples.length] ?? Buffer.alloc(0))
    for (let flips = random(4); flips >= 0; flips--) message[random(message.length)] = random(256)
    const query = parseQuery(message.subarray(0, random(2) ? message.length : random(message.length + 1)))
    if (!query) continue
    if ('code' in query) assert.equal(buildRefusal(query).length, 12)
    else
      assert.ok(buildResponse(query, { code: 0, records: [addressData('10.0.0.1')] }, query.udpBytes).length <= 65_535)
  }
})
