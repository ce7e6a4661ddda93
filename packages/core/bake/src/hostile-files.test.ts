import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDefinition } from './read-definition.ts'

const surroundings = {
  homeFolder: '/root',
  now: () => new Date(0),
  uuid: () => 'uuid',
  builtins: new Map<string, string>(),
  lookup: () => undefined,
}

function read(text: string, name = 'docker-bake.hcl'): void {
  readDefinition([{ name, text }], surroundings, { lookup: () => undefined, readText: () => undefined })
}

const chain = (count: number, link: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => link(index)).join('\n')

const hostile: readonly [name: string, text: string, problem: RegExp, file?: string][] = [
  ['brackets nested a hundred thousand times', `a = ${'['.repeat(100_000)}`, /Too deeply nested/],
  ['templates nested ten thousand times', `a = ${'"${'.repeat(10_000)}`, /Too deeply nested/],
  ['parentheses nested ten thousand times', `a = ${'('.repeat(10_000)}1`, /Too deeply nested/],
  ['signs one after the other', `a = ${'-'.repeat(100_000)}1`, /Too deeply nested/],
  ['blocks nested ten thousand times', 'a {\n'.repeat(10_000), /Too deeply nested/],
  ['directives nested ten thousand times', `a = "${'%{ if true }'.repeat(10_000)}"`, /Too deeply nested/],
  ['JSON nested a hundred thousand times', `{"a":${'['.repeat(100_000)}`, /Too deeply nested/, 'docker-bake.json'],
  [
    'a text that doubles sixty times',
    chain(60, (at) => `a${at} = "${'${'}a${at + 1}}${'${'}a${at + 1}}"`) + '\na60 = "x"',
    /Limit exceeded/,
  ],
  [
    'a list that doubles sixty times',
    chain(60, (at) => `a${at} = [a${at + 1}, a${at + 1}]`) + '\na60 = "x"',
    /Limit exceeded/,
  ],
  [
    'a list in a list, a thousand times',
    chain(250, (at) => `a${at} = [a${at + 1}]`) + '\na250 = "x"',
    /Limit exceeded/,
  ],
  ['references one after the other', chain(5000, (at) => `a${at} = a${at + 1}`) + '\na5000 = 1', /Limit exceeded/],
  [
    'functions that call each other twice',
    `${chain(60, (at) => `function "f${at}" {\n  params = [x]\n  result = "${'${'}f${at + 1}(x)}${'${'}f${at + 1}(x)}"\n}`)}
function "f60" {
  params = [x]
  result = ""
}
a = f0("x")`,
    /Limit exceeded/,
  ],
  [
    'a function that calls itself',
    'function "f" {\n  params = [x]\n  result = f(x)\n}',
    /function cycle not allowed for f/,
  ],
  [
    'loops in loops',
    `a = [for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 1]]]`,
    /Limit exceeded/,
  ],
  ['a product of many lists', 'a = setproduct(range(1000), range(1000), range(1000))', /Limit exceeded/],
  ['a range of millions', 'a = range(9000000)', /more than 1024 values/],
  ['a format of a gigabyte', 'a = format("%999999999d", 1)', /unsupported width/],
  ['an indent of a gigabyte', 'a = indent(999999999, "a")', /between 0 and 10000/],
  ['a number of a gigabyte', 'a = 1e999999999', /Failed to recognize/],
  [
    'squares of squares',
    chain(60, (at) => `a${at} = a${at + 1} * a${at + 1}`) + '\na60 = 1e9000',
    /number out of range/,
  ],
  ['a pattern that backtracks', `a = regex("(a+)+$", "${'a'.repeat(60)}b")`, /takes too long to match/],
  [
    'a matrix of a million',
    `target "x" {\n  name = "x-${'${'}a}"\n  matrix = { a = range(1000), b = range(1000) }\n}`,
    /more than 10000 combinations/,
  ],
  [
    'YAML that doubles',
    `a: &a [x, x]\n${chain(40, (at) => `b${at}: &b${at} [*${at === 0 ? 'a' : `b${at - 1}`}, *${at === 0 ? 'a' : `b${at - 1}`}]`)}\nservices: *b39`,
    /Excessive alias count/,
    'compose.yaml',
  ],
  [
    'defaults nested in compose',
    `services:\n  a:\n    image: ${'${a:-'.repeat(5000)}x${'}'.repeat(5000)}\n`,
    /nested too deeply/,
    'compose.yaml',
  ],
]

for (const [name, text, problem, file] of hostile) {
  test(`readDefinition() ends soon with an error for ${name}`, { timeout: 20_000 }, () => {
    const before = process.memoryUsage().heapUsed
    assert.throws(() => read(text, file), problem)
    assert.ok(process.memoryUsage().heapUsed - before < 512 * 1024 * 1024)
  })
}

test('readDefinition() reads what nothing but its own names makes special', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    read(`${name} = "x"\ntarget "${name}" {\n  args = { ${name} = ${name} }\n}`)
    read(JSON.stringify({ target: { [name]: { args: { a: 'b' } } } }), 'docker-bake.json')
  }
})
