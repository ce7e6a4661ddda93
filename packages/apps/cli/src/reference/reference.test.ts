import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { manPage, manPages } from './man-page.ts'
import { fileName, listPages, markdownIndex, markdownPage } from './pages.ts'

const directory = new URL('../../../../../docs/cli/', import.meta.url)
const remedy = 'run npm run cli-docs'

test('the help of every command is as its page in docs/cli says', async () => {
  const pages = await listPages()
  const there = readdirSync(directory).toSorted()
  assert.deepEqual(there, ['README.md', ...pages.map(fileName)].toSorted(), remedy)
  for (const page of pages) {
    assert.equal(readFileSync(new URL(fileName(page), directory), 'utf8'), markdownPage(page), remedy)
  }
  assert.equal(readFileSync(new URL('README.md', directory), 'utf8'), markdownIndex(pages), remedy)
})

test('no help is wider than a terminal of 80 columns', async () => {
  const pages = (await listPages()).filter(({ flags }) => Object.keys(flags).length > 0)
  const wide = pages.flatMap(({ path, help }) =>
    help
      .slice(help.indexOf('Options:'))
      .split('\n')
      .filter((line) => line.length > 80)
      .map((line) => `${path}: ${line}`),
  )
  assert.deepEqual(wide, [])
})

test('manPage() writes what man(7) understands', async () => {
  const page = (await listPages()).find(({ path }) => path === 'container run')
  assert.ok(page)
  const text = manPage(page, '1.0')
  assert.match(text, /^\.TH "BERTH-CONTAINER-RUN" "1" "" "Berth 1\.0" "Berth"\n/)
  assert.match(text, /\n\.TP\n\\fB\\-e\\fR, \\fB\\-\\-env\\fR \\fIlist\\fR\nSet environment variables\n/)
  // A line that begins with a dot is a macro: all of them have to be known ones.
  const macros = new Set([...text.matchAll(/^\.(\w+)/gm)].map((match) => match[1]))
  assert.deepEqual([...macros].toSorted(), ['BR', 'SH', 'TH', 'TP', 'br', 'nh'])
})

test('manPages() has a page for every name of a command, and no two of one name', async () => {
  const pages = await listPages()
  const page = pages.find(({ path }) => path === 'container run')
  assert.ok(page)
  assert.deepEqual(
    [...manPages(page, '1.0')].map(([name, text]) => [name, text.split('\n')[0]]),
    [
      ['berth-container-run.1', '.TH "BERTH-CONTAINER-RUN" "1" "" "Berth 1.0" "Berth"'],
      ['berth-run.1', '.so man1/berth-container-run.1'],
    ],
  )
  const names = pages.flatMap((one) => [...manPages(one, '1.0').keys()])
  assert.equal(new Set(names).size, names.length)
})
