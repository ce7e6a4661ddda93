import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIgnoreFile } from './ignore-file.ts'

const cases: [file: string, ignored: string[], kept: string[]][] = [
  ['node_modules\n# a comment\n\n', ['node_modules', 'node_modules/x/y'], ['src/node_modules', 'a']],
  ['**/*.log', ['a.log', 'x/y/b.log'], ['a.logs']],
  ['*.md\n!README.md', ['a.md'], ['README.md', 'x/a.md']],
  ['docs/*\n!docs/keep', ['docs/a', 'docs/b/c'], ['docs', 'docs/keep', 'docs/keep/x']],
  ['/a/./b/', ['a/b', 'a/b/c'], ['a', 'b']],
  ['temp?', ['tempa'], ['temp', 'tempab']],
  ['[a-c]x', ['ax', 'cx'], ['dx']],
  ['a\\*b', ['a*b'], ['axb']],
  ['**', ['a', 'a/b'], []],
  ['a/**/b', ['a/b', 'a/x/y/b'], ['a', 'b']],
  ['a.b(c)+', ['a.b(c)+'], ['axb(c)+']],
]

for (const [file, ignored, kept] of cases) {
  test(`parseIgnoreFile() reads ${JSON.stringify(file)} as docker does`, () => {
    const rules = parseIgnoreFile(file)
    assert.deepEqual(
      ignored.filter((path) => !rules.ignores(path)),
      [],
    )
    assert.deepEqual(
      kept.filter((path) => rules.ignores(path)),
      [],
    )
  })
}

test('parseIgnoreFile() refuses an exception of nothing', () => {
  assert.throws(() => parseIgnoreFile('!'), /illegal exclusion pattern/)
})
