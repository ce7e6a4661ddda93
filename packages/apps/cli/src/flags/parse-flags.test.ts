import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  alsoNamed,
  boolean,
  commaList,
  duration,
  filter,
  fromEnvironment,
  integer,
  list,
  string,
  swapBytes,
} from './flag.ts'
import { HelpRequest, parseFlags, withEnvironment } from './parse-flags.ts'
import { formatFlags } from './usage.ts'

const set = {
  interactive: boolean('i,interactive', 'Keep STDIN open'),
  tty: boolean('t,tty', 'Allocate a pseudo-TTY'),
  proxy: boolean('sig-proxy', 'Proxy signals (default true)', true),
  env: list('e,env', 'Set environment variables'),
  name: string('name', 'Assign a name'),
  tail: integer('n,tail', 'Lines'),
  interval: duration('interval', 'Time between checks'),
  swap: swapBytes('memory-swap', 'Swap'),
  filter: filter('f,filter', 'Filter output'),
  alias: alsoNamed('net-alias', commaList('alias', 'Aliases')),
}

function parse(line: string, interspersed = true): unknown {
  const { flags, args } = parseFlags(set, line === '' ? [] : line.split(' '), interspersed)
  const given = Object.entries(flags).filter(([key, value]) => value !== set[key as keyof typeof set].initial)
  return [Object.fromEntries(given), args]
}

const lines: [line: string, flags: Record<string, unknown>, args: string[]][] = [
  ['', {}, []],
  ['-it img', { interactive: true, tty: true }, ['img']],
  ['-iteA=1 img', { interactive: true, tty: true, env: ['A=1'] }, ['img']],
  ['-e A=1 --env B=2 --env=C=3 -e=D', { env: ['A=1', 'B=2', 'C=3', 'D'] }, []],
  ['--tty=true --sig-proxy=false', { tty: true, proxy: false }, []],
  ['img --name x -- -i', { name: 'x' }, ['img', '-i']],
  ['-n 5 -n3', { tail: 3 }, []],
  ['-n -5', { tail: -5 }, []],
  ['--interval 1m30.5s', { interval: 90_500_000_000 }, []],
  ['--memory-swap -1', { swap: -1 }, []],
  ['--memory-swap 1.5GiB', { swap: 1610612736 }, []],
  ['-f status=running -f STATUS=exited -f name=a=b', { filter: { status: ['running', 'exited'], name: ['a=b'] } }, []],
  ['--alias a,b --net-alias "c,d",e --alias=', { alias: ['a', 'b', 'c,d', 'e'] }, []],
  ['- -i', { interactive: true }, ['-']],
]

for (const [line, flags, args] of lines) {
  test(`parseFlags() reads '${line}' as docker does`, () => assert.deepEqual(parse(line), [flags, args]))
}

test('parseFlags() leaves what follows the first argument alone if asked to', () => {
  assert.deepEqual(parse('-i img -t --name x', false), [{ interactive: true }, ['img', '-t', '--name', 'x']])
})

test('withEnvironment() sets what the command line does not, and what is empty sets nothing', () => {
  const flags = { platform: fromEnvironment('WANTED', string('platform', 'Platform')), name: string('name', 'Name') }
  const read = (wanted: string | undefined, ...argv: string[]) => {
    const parsed = parseFlags(withEnvironment(flags, { WANTED: wanted }), argv, true)
    return [parsed.flags, parsed.changed('platform')]
  }
  assert.deepEqual(read('linux/arm64'), [{ platform: 'linux/arm64', name: '' }, false])
  assert.deepEqual(read('linux/arm64', '--platform', 'linux/386'), [{ platform: 'linux/386', name: '' }, true])
  assert.deepEqual(read('linux/arm64', '--platform='), [{ platform: '', name: '' }, true])
  assert.deepEqual(read(''), [{ platform: '', name: '' }, false])
  assert.deepEqual(read(undefined), [{ platform: '', name: '' }, false])
})

const refusals: [line: string, message: string][] = [
  ['--foo', 'unknown flag: --foo'],
  ['--constructor', 'unknown flag: --constructor'],
  ['-ix', "unknown shorthand flag: 'x' in -x"],
  ['-x', "unknown shorthand flag: 'x' in -x"],
  ['---x', 'bad flag syntax: ---x'],
  ['--=x', 'bad flag syntax: --=x'],
  ['--name', 'flag needs an argument: --name'],
  ['-te', "flag needs an argument: 'e' in -te"],
  ['--tty=maybe', 'invalid argument "maybe" for "-t, --tty" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
  ['-n x', 'invalid argument "x" for "-n, --tail" flag: strconv.ParseInt: parsing "x": invalid syntax'],
  ['--interval 5', 'invalid argument "5" for "--interval" flag: time: missing unit in duration "5"'],
  ['--interval 5x', 'invalid argument "5x" for "--interval" flag: time: unknown unit "x" in duration "5x"'],
  ['--interval foo', 'invalid argument "foo" for "--interval" flag: time: invalid duration "foo"'],
  ['--memory-swap foo', 'invalid argument "foo" for "--memory-swap" flag: invalid size: \'foo\''],
  ['--memory-swap 1x', 'invalid argument "1x" for "--memory-swap" flag: invalid suffix: \'x\''],
  ['-f foo', 'invalid argument "foo" for "-f, --filter" flag: bad format of filter (expected name=value)'],
]

for (const [line, message] of refusals) {
  test(`parseFlags() refuses '${line}' in docker's words`, () => assert.throws(() => parse(line), { message }))
}

test('parseFlags() takes --help and -h for a call for help', () => {
  assert.throws(() => parse('--help'), HelpRequest)
  assert.throws(() => parse('-h'), HelpRequest)
})

test('formatFlags() lays out and wraps the options as docker does', () => {
  const flags = {
    a: boolean('a,all', 'Show all'),
    l: string('log-level', 'Set the logging level ("debug", "info", "warn", "error", "fatal") (default "info")'),
  }
  const expected = [
    '  -a, --all                Show all',
    '      --log-level string   Set the logging level ("debug", "info",',
    '                           "warn", "error", "fatal") (default "info")',
    '',
  ]
  assert.deepEqual(formatFlags(flags, 79).split('\n'), expected)
})
