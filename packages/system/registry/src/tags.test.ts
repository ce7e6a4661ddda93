import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextPage } from './tags.ts'

test('nextPage() finds a page of the same registry, and answers soon whatever a registry sends', () => {
  const from = new URL('https://r.example/v2/a/tags/list')
  const links = [
    '</v2/a/tags/list?last=b>; rel="next"',
    '<x>; rel=prev, </n>;title="a b"; rel=next',
    '<https://o.example/>; rel="next"',
  ]
  assert.deepEqual(
    links.map((link) => nextPage(link, from)?.href),
    ['https://r.example/v2/a/tags/list?last=b', 'https://r.example/n', undefined],
  )
  const startedMs = performance.now()
  for (const part of ['<', '<a>;', '<a>; ', ' rel='])
    assert.equal(nextPage(`<a>;${part.repeat(100_000)}`, from), undefined)
  assert.ok(performance.now() - startedMs < 1000, `${performance.now() - startedMs} ms`)
})
