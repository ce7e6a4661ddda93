import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImageRunConfig } from '@berth/oci'
import { applyChanges } from './apply-changes.ts'

const base: ImageRunConfig = { Env: ['PATH=/bin'], Cmd: ['a', 'b'], Entrypoint: ['top'] }

/** The changes, and what they make of an empty config. Each was asked of Docker's own engine. */
const applied: readonly (readonly [string[], ImageRunConfig])[] = [
  [['CMD ["sh", "-c"]'], { Cmd: ['sh', '-c'] }],
  [['CMD echo $PATH "q"'], { Cmd: ['/bin/sh', '-c', 'echo $PATH "q"'] }],
  [['CMD'], { Cmd: ['/bin/sh', '-c'] }],
  [['CMD [not json'], { Cmd: ['/bin/sh', '-c', '[not json'] }],
  [['CMD a\nENV x=y'], { Cmd: ['/bin/sh', '-c', 'a'], Env: ['x=y'] }],
  [['ENTRYPOINT ["x"]', 'CMD ["y"]'], { Entrypoint: ['x'], Cmd: ['y'] }],
  [['CMD ["y"]', 'ENTRYPOINT ["x"]'], { Entrypoint: ['x'], Cmd: ['y'] }],
  [['ENV a="x y" b=\'$PATH\' c=${P-bin} d=\\$q'], { Env: ['a=x y', 'b=$PATH', 'c=bin', 'd=$q'] }],
  [['ENV x=aya', 'ENV a=${x/y/z} b=${x//a/--}'], { Env: ['x=aya', 'a=aza', 'b=--y--'] }],
  [['ENV one two "three"  four'], { Env: ['one=two three  four'] }],
  [['ENV a=1', 'ENV b=$a a=2'], { Env: ['a=2', 'b=1'] }],
  [['# comment', '', 'env a=1 \\', '# inside', '  b=2'], { Env: ['a=1', 'b=2'] }],
  [['EXPOSE ${Z:-80} 81/UDP 90-91'], { ExposedPorts: { '80/tcp': {}, '81/udp': {}, '90/tcp': {}, '91/tcp': {} } }],
  [['LABEL "a b"=c\\ d e='], { Labels: { 'a b': 'c d', e: '' } }],
  [['WORKDIR /a/../b/', 'WORKDIR c'], { WorkingDir: '/b/c' }],
  [['WORKDIR a b'], { WorkingDir: '/a b' }],
  [['VOLUME ["/a","/b"]', 'VOLUME /c /d'], { Volumes: { '/a': {}, '/b': {}, '/c': {}, '/d': {} } }],
  [['HEALTHCHECK NONE'], { Healthcheck: { Test: ['NONE'] } }],
  [
    ['HEALTHCHECK --interval=5s --retries=3 CMD echo hi'],
    { Healthcheck: { Test: ['CMD-SHELL', 'echo hi'], Interval: 5e9, Retries: 3 } },
  ],
  [['HEALTHCHECK --timeout=0 CMD ["x"]'], { Healthcheck: { Test: ['CMD', 'x'] } }],
  [['STOPSIGNAL 9'], { StopSignal: '9' }],
  [['STOPSIGNAL SIGRTMIN+3'], { StopSignal: 'SIGRTMIN+3' }],
  [['USER ${x:-me}'], { User: 'me' }],
  [['ONBUILD RUN --mount=x y'], { OnBuild: ['RUN --mount=x y'] }],
]

for (const [changes, expected] of applied) {
  test(`applyChanges() with ${JSON.stringify(changes)}`, () => {
    const { Cmd, ...rest } = applyChanges({}, changes)
    assert.deepEqual(Cmd ? { ...rest, Cmd } : rest, expected)
  })
}

const refused: readonly (readonly [string, string])[] = [
  ['', 'file with no instructions'],
  ['# comment', 'file with no instructions'],
  ['RUN x', 'RUN is not a valid change command'],
  ['SHELL ["x"]', 'SHELL is not a valid change command'],
  ['constructor x', 'constructor is not a valid change command'],
  ['EXPOSE', 'EXPOSE requires at least one argument'],
  ['EXPOSE x', 'Invalid containerPort: x'],
  ['EXPOSE 80/foo', 'Invalid proto: foo'],
  ['EXPOSE 65536', 'Invalid containerPort: 65536'],
  ['EXPOSE 9-8', 'Invalid containerPort: 9-8'],
  ['ENV', 'ENV requires at least one argument'],
  ['ENV a', 'ENV must have two arguments'],
  ['ENV =x', 'ENV names can not be blank'],
  ['ENV a=1 b', 'Syntax error - can\'t find = in "b". Must be of the form: name=value'],
  ['ENV a=${x', 'failed to process "${x": unsupported modifier (\uFFFD) in substitution'],
  ['ENV a=${}', 'failed to process "${}": syntax error: bad substitution'],
  ['ENV a=${x:?}', 'failed to process "${x:?}": x: is not allowed to be unset'],
  ['ENV a=${x:-', 'failed to process "${x:-": syntax error: missing \'}\''],
  ['ENV a="x', 'failed to process "\\"x": unexpected end of statement while looking for matching double-quote'],
  ["ENV a='x", 'failed to process "\'x": unexpected end of statement while looking for matching single-quote'],
  ['LABEL =a', 'LABEL names can not be blank'],
  ['CMD [1]', 'when using JSON array syntax, arrays must be comprised of strings only'],
  ['USER', 'USER requires exactly one argument'],
  ['USER --x u', 'unknown flag: --x'],
  ['WORKDIR', 'WORKDIR requires exactly one argument'],
  ['WORKDIR ""', 'cannot normalize nothing'],
  ['VOLUME', 'VOLUME requires at least one argument'],
  ['VOLUME [""]', 'VOLUME specified can not be an empty string'],
  ['STOPSIGNAL SIGFOO', 'invalid signal: SIGFOO'],
  ['STOPSIGNAL 0', 'invalid signal: 0'],
  ['ONBUILD', 'ONBUILD requires at least one argument'],
  ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
  ['ONBUILD onbuild x', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
  ['HEALTHCHECK', 'HEALTHCHECK requires at least one argument'],
  ['HEALTHCHECK x y', 'Unknown type "X" in HEALTHCHECK (try CMD)'],
  ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
  ['HEALTHCHECK NONE x', 'HEALTHCHECK NONE takes no arguments'],
  ['HEALTHCHECK --interval=1us CMD x', 'Interval "interval" cannot be less than 1ms'],
  ['HEALTHCHECK --interval=x CMD x', 'time: invalid duration "x"'],
  ['HEALTHCHECK --foo=x CMD x', 'unknown flag: --foo'],
  ['HEALTHCHECK --retries=-1 CMD x', '--retries cannot be negative (-1)'],
]

for (const [change, message] of refused) {
  test(`applyChanges() refuses ${JSON.stringify(change)}`, () => {
    assert.throws(() => applyChanges({}, [change]), { kind: 'invalid', message })
  })
}

test('applyChanges() expands against the environment that it is given and leaves that alone', () => {
  assert.deepEqual(applyChanges(base, ['ENV PATH=/x:$PATH A=${B:-def}']), { ...base, Env: ['PATH=/x:/bin', 'A=def'] })
  assert.deepEqual(base.Env, ['PATH=/bin'])
})

test('applyChanges() trims by pattern, shortest and longest', () => {
  const { Env } = applyChanges({ Env: ['f=/a/b.tar.gz'] }, ['ENV w=${f#*/} x=${f##*/} y=${f%.*} z=${f%%.*}'])
  assert.deepEqual(Env, ['f=/a/b.tar.gz', 'w=a/b.tar.gz', 'x=b.tar.gz', 'y=/a/b.tar', 'z=/a/b'])
})

test('applyChanges() takes a hostile environment without delay', () => {
  const env = { Env: [`f=${'a'.repeat(20_000)}`] }
  assert.throws(() => applyChanges(env, ['ENV x=${f%%*a*a*a*a*b']), /missing '}'/)
  applyChanges({ Env: [`f=${'a'.repeat(500)}`] }, ['ENV x=${f%%*a*a*a*a*b}'])
})
