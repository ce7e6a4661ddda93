import assert from 'node:assert/strict'
import { test } from 'node:test'
import { indentJson } from './json-indent.ts'
import { alignTabs, formatTable } from './table.ts'
import { ellipsis, shortId } from './text.ts'
import { binarySize, goTimestamp, humanSize, localTimestamp } from './units.ts'
import { renderText, type View } from './view.ts'
import { zeroValues } from './zero-values.ts'

test('formatTable() gives every column its width and three spaces', () => {
  const rows = [
    ['a-long-repository', '1', 'x'],
    ['b', 'latest', ''],
  ]
  const expected = 'REPOSITORY          TAG       ID\na-long-repository   1         x\nb                   latest    \n'
  assert.equal(formatTable(['REPOSITORY', 'TAG', 'ID'], rows), expected)
})

test('alignTabs() begins new columns where lines have fewer cells', () => {
  assert.equal(alignTabs('a\tb\nplain\na-very-long-cell\tc\n'), 'a         b\nplain\na-very-long-cell   c\n')
})

const sizes: [bytes: number, four: string, three: string, binary: string][] = [
  [0, '0B', '0B', '0B'],
  [999, '999B', '999B', '999B'],
  [1982512, '1.983MB', '1.98MB', '1.891MiB'],
  [999999, '1000kB', '1e+03kB', '976.6KiB'],
  [10 ** 9, '1GB', '1GB', '953.7MiB'],
  [25_273_057_280, '25.27GB', '25.3GB', '23.54GiB'],
]
for (const [bytes, four, three, binary] of sizes) {
  test(`humanSize() and binarySize() show ${bytes} as docker does`, () => {
    assert.deepEqual([humanSize(bytes), humanSize(bytes, 3), binarySize(bytes)], [four, three, binary])
  })
}

test('localTimestamp() keeps the nanoseconds', () => {
  assert.match(localTimestamp(1_795_251_481_082_286_666n), /^2026-11-2\dT\d\d:\d\d:01\.082286666(Z|[+-]\d\d:\d\d)$/)
})

test('ellipsis() counts the columns of wide characters', () => {
  assert.deepEqual(
    [ellipsis('abcdef', 6), ellipsis('abcdefg', 6), ellipsis('日本語文字', 6)],
    ['abcdef', 'abcde…', '日本…'],
  )
})

test('shortId() drops the algorithm and keeps twelve digits', () => {
  assert.equal(shortId(`sha256:${'0123456789abcdef'.repeat(4)}`), '0123456789ab')
})

test('indentJson() changes nothing but the spaces', () => {
  const source = '[{"b":1.50,"a":{},"s":"x, {y} \\" :","n":12345678901234567890,"l":[],"m":[1,null,true]}]'
  const expected = `[
    {
        "b": 1.50,
        "a": {},
        "s": "x, {y} \\" :",
        "n": 12345678901234567890,
        "l": [],
        "m": [
            1,
            null,
            true
        ]
    }
]`
  assert.equal(indentJson(source), expected)
  assert.equal(indentJson(expected), expected)
})

const view: View<{ id: string; labels: Record<string, string> }> = {
  goType: '*formatter.TestContext',
  columns: {
    ID: { header: 'ITEM ID', value: ({ id }) => id },
    Names: { header: 'NAMES', value: ({ id }) => `<${id}>` },
  },
  methods: { Label: ({ labels }, name) => labels[name] ?? '' },
}
const rows = [{ id: 'one', labels: { 'a.b-c': 'x' } }]

const formats: [format: string, output: string][] = [
  ['', 'ITEM ID   NAMES\none       <one>\n'],
  ['table', 'ITEM ID   NAMES\none       <one>\n'],
  ['json', '{"ID":"one","Names":"\\u003cone\\u003e"}\n'],
  ['{{.ID}}: {{json .Names}}', 'one: "<one>"\n'],
  ['{{.ID}}\\t{{upper .ID}}', 'one\tONE\n'],
  ['table {{.ID}}\\t{{upper .Names}}\\t{{.Label "a.b-c"}}', 'ITEM ID   NAMES     b c\none       <ONE>     x\n'],
]
for (const [format, output] of formats) {
  test(`renderText() renders '${format}' as docker does`, async () => {
    assert.equal(await renderText(rows, view, { format, defaults: ['ID', 'Names'] }), output)
  })
}

test('renderText() names the field that a row lacks', async () => {
  await assert.rejects(renderText(rows, view, { format: '{{.Foo}}', defaults: [] }), {
    message:
      'template parsing error: template: :1:2: executing "" at <.Foo>: can\'t evaluate field Foo in type *formatter.TestContext',
  })
})

test('zeroValues() knows what Go holds in absent and null fields', async () => {
  const { parseTemplate } = await import('@berth/go-template')
  const data = { State: {}, Config: { Cmd: null }, HostConfig: { Binds: null } }
  const source =
    '{{if .State.Health}}x{{end}}{{.Config.Cmd}} {{.HostConfig.Init}} {{.Config.Labels}} [{{.Config.StopSignal}}]'
  const template = parseTemplate(source, { missingKey: 'error', zeroValue: zeroValues('container', data) })
  assert.equal(template.execute(data), '[] <nil> map[] []')
})

test('goTimestamp() shows a time as Go prints it, with its fraction', () => {
  assert.equal(goTimestamp('2026-01-02T03:04:05.120000000Z'), '2026-01-02 03:04:05.12 +0000 UTC')
  assert.equal(goTimestamp('2026-01-02T03:04:05Z'), '2026-01-02 03:04:05 +0000 UTC')
  assert.equal(goTimestamp('2026-01-02T03:04:05.5+13:45'), '2026-01-02 03:04:05.5 +1345 +1345')
  assert.equal(goTimestamp('never'), 'never')
})
