import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chosenVariables } from './proxies.ts'

const proxies = {
  default: { httpProxy: 'http://p:1', noProxy: 'localhost' },
  'tcp://h:1': { allProxy: 'socks5://q', ftpProxy: '' },
}

test('chosenVariables() takes the proxies of the host, else those by default, in both spellings', () => {
  assert.deepEqual(chosenVariables(proxies, 'unix:///x.sock', new Set()), {
    HTTP_PROXY: 'http://p:1',
    http_proxy: 'http://p:1',
    NO_PROXY: 'localhost',
    no_proxy: 'localhost',
  })
  assert.deepEqual(chosenVariables(proxies, 'tcp://h:1', new Set()), {
    ALL_PROXY: 'socks5://q',
    all_proxy: 'socks5://q',
  })
  assert.deepEqual(chosenVariables({}, 'tcp://h:1', new Set()), {})
})

test('chosenVariables() leaves alone what is set already', () => {
  assert.deepEqual(chosenVariables(proxies, '', new Set(['http_proxy', 'NO_PROXY'])), {
    HTTP_PROXY: 'http://p:1',
    no_proxy: 'localhost',
  })
})
