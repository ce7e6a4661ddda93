import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listTargets } from './list-targets.ts'
import { outlineOf } from './outline.ts'

const dockerfile = `ARG VER=latest
ARG UNUSED=3
# base is the first
FROM busybox:\${VER} AS base
# A tells of a
ARG A=$VER-x
ARG B
ARG VER
RUN --mount=type=secret,id=s,required --mount=type=ssh --mount=type=cache,target=/c true
FROM busybox AS other
ARG O=1
FROM base
ARG C=2
ARG A=9
RUN --mount=type=secret,target=/run/x --mount=type=ssh,id=k,required=true true
COPY --from=other /x /x
`

const at = (line: number) => ({ ranges: [{ start: { line }, end: { line } }] })

test('outlineOf() tells of arguments, secrets and agents as BuildKit does', () => {
  const { sources, ...outline } = outlineOf({
    dockerfile,
    target: '',
    contexts: new Map(),
    platform: '',
    args: { B: '9' },
  })
  assert.equal(Buffer.from(sources[0] ?? '', 'base64').toString(), dockerfile)
  assert.deepEqual(outline, {
    args: [
      { name: 'VER', value: 'latest', location: at(1) },
      { name: 'B', value: '9', location: at(7) },
      { name: 'O', value: '1', location: at(11) },
      { name: 'C', value: '2', location: at(13) },
      { name: 'A', value: '9', location: at(14) },
    ],
    secrets: [
      { name: 's', required: true, location: at(9) },
      { name: 'x', location: at(15) },
    ],
    ssh: [
      { name: 'default', location: at(9) },
      { name: 'k', required: true, location: at(15) },
    ],
  })
})

test('outlineOf() leaves out arguments of the platform that nobody gives a value', () => {
  const text = 'ARG TARGETOS=q\nFROM busybox\nARG TARGETARCH\nARG TARGETOS\nARG BUILDARCH=z\nARG BUILDOS\nARG X\n'
  const { args = [] } = outlineOf({
    dockerfile: text,
    target: '',
    contexts: new Map(),
    platform: '',
    args: { BUILDOS: 'b' },
  })
  assert.deepEqual(
    args.map(({ name }) => name),
    ['TARGETOS', 'BUILDARCH', 'BUILDOS', 'X'],
  )
})

test('listTargets() lists the stages with what their comments say', () => {
  assert.deepEqual(listTargets(dockerfile).targets, [
    { name: 'base', description: 'is the first', base: 'busybox:${VER}', location: at(4) },
    { name: 'other', base: 'busybox', location: at(10) },
    { default: true, base: 'base', location: at(12) },
  ])
})

test('outlineOf() gives an argument no value for having a name that every object knows', () => {
  const dockerfile = 'FROM busybox\nARG constructor\nARG valueOf=1\n'
  const { args } = outlineOf({ dockerfile, target: '', contexts: new Map(), platform: '', args: {} })
  assert.deepEqual(args, [
    { name: 'constructor', location: at(2) },
    { name: 'valueOf', value: '1', location: at(3) },
  ])
})

test('outlineOf() takes the name of an argument for no pattern', () => {
  const startedMs = performance.now()
  const text = `ARG (a+)+\nARG (\nFROM busybox\${${'a'.repeat(50)}_}\n`
  assert.deepEqual(
    outlineOf({ dockerfile: text, target: '', contexts: new Map(), platform: '', args: {} }).args?.length,
    undefined,
  )
  assert.ok(performance.now() - startedMs < 1000, `${performance.now() - startedMs} ms`)
})
