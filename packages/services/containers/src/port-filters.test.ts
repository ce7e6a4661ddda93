import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePortFilters } from './port-filters.ts'

const ports = {
  '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }],
  '90/tcp': null,
  '100/udp': null,
}

const fits = (filters: { expose?: string[]; publish?: string[] }) => compilePortFilters(filters)?.(ports)

test('compilePortFilters() takes ports inside, ports of the host, and ranges of either', () => {
  const expose = (value: string) => fits({ expose: [value] })
  const publish = (value: string) => fits({ publish: [value] })
  assert.deepEqual(['80', '90/tcp', '80/', '99-101/udp', '100', '80/foo', '8080'].map(expose), [
    true, true, true, true, false, false, false,
  ]) // prettier-ignore
  assert.deepEqual(['8080', '8000-9000/tcp', '80', '8080/udp', '0'].map(publish), [true, true, false, false, true])
  assert.equal(fits({}), undefined)
})

test('compilePortFilters() joins what is exposed and what is published by or', () => {
  assert.equal(fits({ expose: ['100/udp'], publish: ['1'] }), true)
  assert.equal(fits({ expose: ['1', '2'], publish: ['3'] }), false)
})

test('compilePortFilters() says what is wrong as Docker does', () => {
  const wrong = [
    ['x', 'error while looking up for expose x: strconv.ParseUint: parsing "x": invalid syntax'],
    ['70000', 'error while looking up for expose 70000: strconv.ParseUint: parsing "70000": value out of range'],
    ['-1', 'error while looking up for expose -1: strconv.ParseUint: parsing "": invalid syntax'],
    ['', 'error while looking up for expose : Empty string specified for ports.'],
    ['/tcp', 'error while looking up for expose /tcp: Empty string specified for ports.'],
    ['2-1/udp', 'error while looking up for expose 2-1/udp: Invalid range specified for the Port: 2-1'],
    ['80:90', "filter for 'expose' should not contain ':': 80:90"],
  ] as const
  for (const [value, message] of wrong) assert.throws(() => compilePortFilters({ expose: [value] }), { message })
})
