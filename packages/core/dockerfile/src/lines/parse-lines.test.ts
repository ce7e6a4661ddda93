import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DockerfileError } from '../dockerfile-error.ts'
import { parseLines } from './parse-lines.ts'

const summary = (source: string) =>
  parseLines(source).instructions.map(({ name, flags, rest, lines }) => [name, flags, rest, lines.start, lines.end])

test('parseLines() joins continued lines and drops comments and empty lines inside', () => {
  const source = '\uFEFFFROM a\r\nRUN x \\\n# c\n\n  && y\\\\\n\tENV b c \\ \n'
  assert.deepEqual(summary(source), [
    ['FROM', [], 'a', 1, 1],
    ['RUN', [], 'x   && y\\\\', 2, 5],
    ['ENV', [], 'b c', 6, 6],
  ])
  assert.deepEqual(
    parseLines(source).emptyContinuations.map(({ name }) => name),
    ['RUN'],
  )
})

test('parseLines() takes flags off the front, up to a bare --', () => {
  assert.deepEqual(summary('COPY --from=x --chown="a b" --chmod=a\\ b -- --c d'), [
    ['COPY', ['--from=x', '--chown=a b', '--chmod=a b'], '--c d', 1, 1],
  ])
})

test('parseLines() reads documents of RUN, COPY and ADD', () => {
  const source = [
    'RUN <<A cat <<-"B"',
    'one $x',
    'A',
    '\ttwo',
    '\tB',
    'COPY <<f /g',
    'f',
    'ENV x="<<no"',
    'RUN ["<<json"]',
  ]
  const { instructions } = parseLines(source.join('\n'))
  assert.deepEqual(
    instructions.map(({ heredocs }) => heredocs),
    [
      [
        { name: 'A', expand: true, chomp: false, descriptor: 0, content: 'one $x\n' },
        { name: 'B', expand: false, chomp: true, descriptor: 0, content: '\ttwo\n' },
      ],
      [{ name: 'f', expand: true, chomp: false, descriptor: 0, content: '' }],
      [],
      [],
    ],
  )
})

test('parseLines() reads directives at the top only', () => {
  const { directives, instructions } = parseLines(
    '# syntax = docker/dockerfile:1\n# Escape=`\nRUN a `\n b\\\n# check=x\n',
  )
  assert.deepEqual(directives, { syntax: 'docker/dockerfile:1', escape: '`' })
  assert.equal(instructions[0]?.rest, 'a  b\\')
  assert.deepEqual(parseLines('# other=1\n# escape=`\nRUN a\n').directives, { escape: '\\' })
})

test('parseLines() keeps the comments right above an instruction', () => {
  const { instructions } = parseLines('# far\n\n# a\n# b\nFROM x\nRUN y\n')
  assert.deepEqual(
    instructions.map(({ comments }) => comments),
    [['a', 'b'], []],
  )
})

for (const [source, message, start, end] of [
  ['', 'file with no instructions', 1, 1],
  ['# only\n', 'file with no instructions', 1, 1],
  ['FROM a\nRUN <<EOF\nx\n', 'unterminated heredoc', 2, 3],
  ['# escape=x\nFROM a', "invalid escape token 'x' does not match ` or \\", 1, 1],
  ['# escape=`\n# escape=`\nFROM a', 'only one escape parser directive can be used', 1, 1],
] as const) {
  test(`parseLines() refuses ${JSON.stringify(source)}`, () => {
    assert.throws(
      () => parseLines(source),
      (error: unknown) => {
        assert.ok(error instanceof DockerfileError)
        assert.deepEqual([error.message, error.lines], [message, { start, end }])
        return true
      },
    )
  })
}
