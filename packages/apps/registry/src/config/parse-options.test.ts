import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress, parseOptions } from './parse-options.ts'

test('parseOptions() has a value for everything that has a default', () => {
  const { addr, root, htpasswd, maxBlobSize, gcGrace, readOnly } = parseOptions([])
  assert.deepEqual(
    [addr, root, htpasswd, maxBlobSize, gcGrace, readOnly],
    ['127.0.0.1:5000', '/var/lib/berth-registry', undefined, 64 * 2 ** 30, 86_400_000, false],
  )
})

test('parseOptions() takes values with and without an equals sign', () => {
  const options = parseOptions([
    '--addr',
    ':0',
    '--max-blob-size=10m',
    '--read-only',
    '--no-delete=false',
    '--gc-grace=90s',
  ])
  const { addr, maxBlobSize, readOnly, noDelete, gcGrace } = options
  assert.deepEqual([addr, maxBlobSize, readOnly, noDelete, gcGrace], [':0', 10 * 2 ** 20, true, false, 90_000])
})

test('parseOptions() refuses what it does not know, and what does not go together', () => {
  const refused: readonly (readonly [string[], RegExp])[] = [
    [['--nothing'], /^unknown flag: --nothing$/],
    [['serve'], /^unknown argument: serve$/],
    [['--addr'], /^flag needs an argument: --addr$/],
    [['--max-blob-size', 'much'], /^--max-blob-size: want bytes/],
    [['--gc-grace', '-1s'], /^--gc-grace: want a duration/],
    [['--max-uploads', '0'], /^--max-uploads: want a whole number above 0/],
    [['--tls-cert', 'x'], /go together/],
    [['--client-ca', 'x'], /needs --tls-cert/],
    [['--anonymous-pull'], /needs --htpasswd/],
    [['--proxy-user', 'x'], /go together/],
    [['--addr', 'nowhere'], /^--addr: want HOST:PORT/],
    [['--log-format', 'xml'], /^--log-format/],
  ]
  for (const [argv, message] of refused)
    assert.throws(() => parseOptions(argv), { kind: 'invalid', message }, argv.join())
})

test('parseAddress() knows names, addresses and every address', () => {
  assert.deepEqual(['localhost:1', '10.0.0.1:2', '[::1]:3', ':4'].map(parseAddress), [
    { host: 'localhost', port: 1 },
    { host: '10.0.0.1', port: 2 },
    { host: '::1', port: 3 },
    { host: '::', port: 4 },
  ])
})
