import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GoDuration, goElement, goKey, GoTime, goType, nilMap, nilPointer, nilSlice, GoFloat } from './value.ts'
import { parseTemplate } from './template.ts'

const data = {
  Name: 'web',
  Count: 5,
  Big: 1234567890123,
  Ratio: 1.5,
  Ok: true,
  Nothing: null,
  Map: { b: 1, a: [1, 'z', null], 'with.dot': 'x' },
  List: ['p', 'q', 'r'],
  Empty: [],
  Label: (name: string) => `label:${name}`,
}

function run(source: string): string {
  return parseTemplate(source).execute(data)
}

function failure(source: string): string {
  try {
    return `no error: ${run(source)}`
  } catch (error) {
    return (error as Error).message
  }
}

const outputs: [source: string, output: string][] = [
  ['{{.Name}} {{.Count}} {{.Big}} {{.Ratio}} {{.Ok}}', 'web 5 1234567890123 1.5 true'],
  ['{{.Map}} {{.List}} {{.Empty}}', 'map[a:[1 z <nil>] b:1 with.dot:x] [p q r] []'],
  ['{{.Nothing}} {{.Missing}}', '<no value> <no value>'],
  ['{{.Map.a}} {{(.Map).b}} {{index .Map "with.dot"}} {{index .Map.a 1}}', '[1 z <nil>] 1 x z'],
  ['{{range .List}}{{.}},{{end}}', 'p,q,r,'],
  ['{{range $i, $e := .List}}{{if $i}} {{end}}{{$i}}={{$e}}{{end}}', '0=p 1=q 2=r'],
  ['{{range $k, $v := .Map}}{{$k}} {{end}}', 'a b with.dot '],
  ['{{range .Empty}}x{{else}}none{{end}}', 'none'],
  ['{{range 3}}{{.}}{{end}}', '012'],
  ['{{range .List}}{{if eq . "q"}}{{continue}}{{end}}{{.}}{{end}}', 'pr'],
  ['{{range .List}}{{if eq . "q"}}{{break}}{{end}}{{.}}{{end}}', 'p'],
  ['{{if eq .Count 5}}five{{else if gt .Count 3}}many{{else}}few{{end}}', 'five'],
  ['{{if eq .Count 4}}four{{else if gt .Count 3}}many{{else}}few{{end}}', 'many'],
  ['{{if .Empty}}a{{else}}b{{end}}', 'b'],
  ['{{with .Nothing}}a{{else with .Name}}{{.}}{{else}}c{{end}}', 'web'],
  ['{{$x := 3}}{{if true}}{{$x = 4}}{{end}}{{$x}}', '4'],
  ['{{with $x := .Name}}{{$x}}{{$.Count}}{{end}}', 'web5'],
  ['{{and 1 0}} {{and 1 2}} {{or "" "z"}} {{not 0}} {{and .Nothing .Nothing.Foo}}', '0 2 z true <no value>'],
  [
    '{{eq 1 2 1}} {{ne "a" "b"}} {{lt 1 2}} {{le "b" "a"}} {{ge 2 2}} {{eq .Nothing nil}}',
    'true true true false true true',
  ],
  ['{{len .List}} {{len "héllo"}} {{slice "abcdef" 1 3}} {{slice .List 1}}', '3 6 bc [q r]'],
  ['{{print 1 2 "a" 3}}|{{println "a" 1}}|{{"x" | printf "%s-%s" "y"}}', '1 2a3|a 1\n|y-x'],
  ['a {{- /* comment */ -}} b {{- 3 -}} c', 'ab3c'],
  ['{{/* all */}}x', 'x'],
  ['{{define "T"}}<{{.}}>{{end}}{{template "T" .Name}}{{block "B" .Count}}[{{.}}]{{end}}', '<web>[5]'],
  [
    '{{1e3}} {{0x10}} {{010}} {{1_000}} {{-2}} {{.5}} {{`raw\\n`}} {{"\\u00e9\\x41\\n"}}',
    '1000 16 8 1000 -2 0.5 raw\\n éA\n',
  ],
  ["{{'a'}} {{'\\n'}}", '97 10'],
  [
    '{{html "<a b=\'c\'>"}} {{urlquery "a b&c"}} {{js "it\'s <b>"}}',
    "&lt;a b=&#39;c&#39;&gt; a+b%26c it\\'s \\u003Cb\\u003E",
  ],
  [
    '{{json .Map}} {{json .Name}} {{json .Missing}} {{json "<&>"}}',
    '{"b":1,"a":[1,"z",null],"with.dot":"x"} "web" null "<&>"',
  ],
  ['{{upper .Name}} {{lower "ABC"}} {{title "hello big world"}}', 'WEB abc Hello Big World'],
  ['{{split "a,b" ","}} {{join .List "/"}} [{{pad "a" 1 2}}] {{truncate "abcdef" 3}}', '[a b] p/q/r [ a  ] abc'],
  ['{{.Label "com.example"}}', 'label:com.example'],
  ['{{"k" | .Label}}', 'label:k'],
  ['{{.constructor}}{{.__proto__}}{{.toString}}', '<no value><no value><no value>'],
]

for (const [source, output] of outputs) {
  test(`execute() prints ${JSON.stringify(source)} as Go does`, () => assert.equal(run(source), output))
}

const formats: [args: string, output: string][] = [
  ['"%s|%10s|%-10s|%.2s" "abc" "abc" "abc" "abc"', 'abc|       abc|abc       |ab'],
  ['"%d|%5d|%-5d|%05d|%+d" 42 42 42 42 42', '42|   42|42   |00042|+42'],
  ['"%x|%X|%#x|%o|%b|%c|%U" 255 255 255 8 5 65 65', 'ff|FF|0xff|10|101|A|U+0041'],
  ['"%q|%x|% x" "a\\"b" "hi" "hi"', '"a\\"b"|6869|68 69'],
  ['"%v|%.2f|%6.1f|%e|%g" .Ratio .Ratio .Ratio .Ratio .Ratio', '1.5|1.50|   1.5|1.500000e+00|1.5'],
  ['"%t|%v|%v|%v" .Ok .Map .List .Nothing', 'true|map[a:[1 z <nil>] b:1 with.dot:x]|[p q r]|<nil>'],
  ['"%T %T %T" 1 "a" .Ok', 'int string bool'],
  ['"%*d|%-*d|" 4 7 4 7', '   7|7   |'],
  ['"%d %s" "a" 3', '%!d(string=a) %!s(int=3)'],
  ['"%d"', '%!d(MISSING)'],
  ['"x" 1 "b"', 'x%!(EXTRA int=1, string=b)'],
  ['"%05.2f|%08.3f|%-6.1f|%+06.1f" 3.14159 -2.5 1.5 1.5', '03.14|-002.500|1.5   |+001.5'],
  ['"%[2]s %[1]s %s|%[3]s|%[1]d" "a" "b"', 'b a b|%!s(BADINDEX)|%!d(string=a)'],
  ['"%[2]*[1]d|%[3]*.[2]*[1]d|%[1]d %d|%[9]*d" 5 8 12', '       5|    00000005|5 8|%!d(BADINDEX)'],
  ['"100%%|%"', '100%|%!(NOVERB)'],
]

for (const [args, output] of formats) {
  test(`printf ${args} prints as Go does`, () => assert.equal(run(`{{printf ${args}}}`), output))
}

const errors: [source: string, message: string][] = [
  ['{{', 'template: :1: unclosed action'],
  ['\n{{.A', 'template: :2: unclosed action'],
  ['{{end}}', 'template: :1: unexpected {{end}}'],
  ['{{if .Name}}', 'template: :1: unexpected EOF'],
  ['{{if}}{{end}}', 'template: :1: missing value for if'],
  ['{{}}', 'template: :1: missing value for command'],
  ['{{foo}}', 'template: :1: function "foo" not defined'],
  ['{{constructor}}', 'template: :1: function "constructor" not defined'],
  ['{{$x}}', 'template: :1: undefined variable "$x"'],
  ['{{"abc}}', 'template: :1: unterminated quoted string'],
  ['{{.Name}', "template: :1: bad character U+007D '}'"],
  ['{{(.Name}}', 'template: :1: unclosed left paren'],
  ['{{.Name)}}', 'template: :1: unexpected right paren'],
  ['{{/* x', 'template: :1: unclosed comment'],
  ['{{break}}', 'template: :1: {{break}} outside {{range}}'],
  ['{{.Name | 3}}', 'template: :1: non executable command in pipeline stage 2'],
  ['{{.Name.X}}', 'template: :1:7: executing "" at <.Name.X>: can\'t evaluate field X in type string'],
  ['{{index .List 5}}', 'template: :1:2: executing "" at <index .List 5>: error calling index: index out of range: 5'],
  ['{{split 1 ","}}', 'template: :1:8: executing "" at <1>: expected string; found 1'],
  ['{{upper .Count}}', 'template: :1:8: executing "" at <.Count>: wrong type for value; expected string; got int'],
  ['{{len 3}}', 'template: :1:2: executing "" at <len 3>: error calling len: len of type int'],
  ['{{len}}', 'template: :1:2: executing "" at <len>: wrong number of args for len: want 1 got 0'],
  ['{{lt 1 "a"}}', 'template: :1:2: executing "" at <lt 1 "a">: error calling lt: incompatible types for comparison'],
  ['{{template "x"}}', 'template: :1:11: executing "" at <{{template "x"}}>: template "x" not defined'],
]

for (const [source, message] of errors) {
  test(`parseTemplate() refuses ${JSON.stringify(source)} in Go's words`, () => assert.equal(failure(source), message))
}

test('execute() names the Go type of an object that lacks a field', () => {
  const context = { ID: 'abc', [goType]: '*formatter.ContainerContext' }
  assert.throws(() => parseTemplate('{{.Foo}}').execute(context), {
    message: 'template: :1:2: executing "" at <.Foo>: can\'t evaluate field Foo in type *formatter.ContainerContext',
  })
})

test('execute() with missingKey error refuses keys that a map lacks', () => {
  const template = parseTemplate('{{.Foo}}', { missingKey: 'error' })
  assert.throws(() => template.execute({}), {
    message: 'template: :1:2: executing "" at <.Foo>: map has no entry for key "Foo"',
  })
})

test('execute() takes absent and null fields from zeroValue', () => {
  const zeros: Record<string, unknown> = { S: nilSlice, M: nilMap, P: nilPointer, T: '' }
  const options = { missingKey: 'error', zeroValue: (_receiver: object, key: string) => zeros[key] } as const
  const template = parseTemplate(
    '{{.S}} {{.M}} {{.P}} [{{.T}}] {{json .S}} {{if .P}}x{{end}}{{range .S}}x{{end}}',
    options,
  )
  assert.equal(template.execute({ S: null, M: null, P: null }), '[] map[] <nil> [] null ')
})

test("execute() prints floats with Go's shortest form", () => {
  const template = parseTemplate('{{range .}}{{.}} {{end}}')
  assert.equal(template.execute([0.1, 1e21, 1e-7, new GoFloat(3), 1234567.25]), '0.1 1e+21 1e-07 3 1.23456725e+06 ')
})

test('a map of Go has something for every key: index gives it, a field has no value', () => {
  const labels = Object.defineProperty({ a: '1' }, goElement, { value: '' })
  const template = parseTemplate('{{index .L "b"}}|{{.L.b}}|{{.L.a}}|{{if .L.b}}y{{else}}n{{end}}', {
    missingKey: 'error',
  })
  assert.equal(template.execute({ L: labels }), '|<no value>|1|n')
  assert.equal(parseTemplate('{{index . "b"}}').execute(nilMap), '')
})

test('a map whose keys have a type of their own has none that a template can name', () => {
  const ports = Object.defineProperty({ '80/tcp': 1 }, goKey, { value: 'nat.Port' })
  const template = (source: string): string => parseTemplate(source).execute({ ports })
  assert.throws(() => template('{{index .ports "80/tcp"}}'), /value has type string; should be nat\.Port$/)
  assert.equal(template('{{range $port, $n := .ports}}{{$port}} {{$n}}{{end}}'), '80/tcp 1')
})

test('a time prints in the form of Go, and is JSON as it came', () => {
  const at = new GoTime('2026-11-27T13:34:33.9Z')
  const printed = parseTemplate('{{.at}}|{{json .at}}|{{if .at}}y{{end}}').execute({ at })
  assert.equal(printed, '2026-11-27 13:34:33.9 +0000 UTC|"2026-11-27T13:34:33.9Z"|y')
})

test('a duration prints in the form of Go, and is a number otherwise', () => {
  const template = parseTemplate('{{.d}}|{{json .d}}|{{printf "%v %d %T" .d .d .d}}|{{gt .d 1}}|{{if .zero}}y{{end}}')
  const printed = template.execute({ d: new GoDuration(3_600_000_000_000), zero: new GoDuration(0) })
  assert.equal(printed, '1h0m0s|3600000000000|1h0m0s 3600000000000 time.Duration|true|')
})

test('json writes whole numbers to the last digit', () => {
  const nanoseconds = 1_795_786_911_123_456_789n
  assert.equal(parseTemplate('{{json .}}').execute({ nanoseconds }), '{"nanoseconds":1795786911123456789}')
})

test('a number that looks like a float is none that compares with a whole one', () => {
  assert.throws(() => parseTemplate('{{eq 1 1.0}}').execute({}), /incompatible types for comparison/)
})

test('a failure quotes the whole expression, and data without types by their interface', () => {
  const long = '{{index .Configuration.Environment "a"}}'
  const data = { Configuration: { Environment: [] } }
  assert.throws(
    () => parseTemplate(long).execute(data),
    /at <index \.Configuration\.Environment "a">: error calling index/,
  )
  const untyped = parseTemplate('{{.a.b}}', { isUntyped: true })
  assert.throws(() => untyped.execute({ a: 'x' }), /can't evaluate field b in type interface \{\}/)
})

test('spaces before an action that trims them take no time, however many', () => {
  const spaces = ' '.repeat(100_000)
  const startedMs = performance.now()
  assert.equal(run(`a${spaces}b${spaces}{{- .Name}}`), `a${spaces}bweb`)
  assert.ok(performance.now() - startedMs < 1000, `${performance.now() - startedMs} ms`)
})
