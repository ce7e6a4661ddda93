import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseIgnoreFile } from '../ignore.ts'
import { platformArgs } from '../stages/variables.ts'
import { checkDockerfile } from './check-dockerfile.ts'
import { checkRules, checkUrl } from './rules.ts'

interface Golden {
  readonly dockerfile: string
  readonly warnings: readonly { readonly name: string; readonly lines: readonly number[]; readonly detail: string }[]
  readonly failure?: { readonly message: string; readonly line?: number }
}

// What `docker buildx build --call=check` (buildx 0.29, dockerd 28.5) says of each, `ignored` being in .dockerignore.
const golden = JSON.parse(readFileSync(new URL('checks.golden.json', import.meta.url), 'utf8')) as Record<
  string,
  Golden
>

const platform = { os: 'linux', architecture: 'amd64' }

function check(dockerfile: string, options: { readonly check?: string } = {}): Omit<Golden, 'dockerfile'> {
  const automatic = platformArgs(platform, platform)
  const ignored = parseIgnoreFile('ignored\n')
  const { warnings, failure } = checkDockerfile({ dockerfile, args: {}, automatic, ignored, ...options })
  return {
    warnings: warnings.map(({ name, ranges, detail }) => ({ name, lines: ranges.map(({ start }) => start), detail })),
    ...(failure && { failure: { message: failure.message, ...(failure.lines && { line: failure.lines.start }) } }),
  }
}

for (const [name, { dockerfile, ...expected }] of Object.entries(golden)) {
  test(`checkDockerfile() finds what BuildKit does: ${name}`, () => assert.deepEqual(check(dockerfile), expected))
}

test('checkDockerfile() takes the options of a request before those of the file', () => {
  const dockerfile = '# check=skip=all\nFROM scratch AS Base\n'
  assert.equal(check(dockerfile).warnings.length, 0)
  assert.equal(
    check(dockerfile, { check: 'error=true' }).failure?.message,
    'lint violation found for rules: StageNameCasing',
  )
})

test('checkDockerfile() knows the variables and the shell of a base image', () => {
  const config = { Env: ['HOME=/root'], Shell: ['/x'] }
  const dockerfile = 'FROM base\nLABEL a=$HOME b=$PATH\nCMD x\n'
  const report = checkDockerfile({ dockerfile, args: {}, automatic: new Map(), baseConfig: () => config })
  assert.deepEqual(report, { warnings: [], failure: undefined })
})

test('checkDockerfile() looks only into stages that are needed, when told which', () => {
  const dockerfile = 'FROM scratch AS a\nLABEL a=$X\nFROM scratch AS B\nLABEL a=$Y\n'
  const isNeeded = ({ index }: { index: number }) => index === 1
  const { warnings } = checkDockerfile({ dockerfile, args: {}, automatic: new Map(), isNeeded })
  assert.deepEqual(
    warnings.map(({ name, ranges }) => [name, ranges[0]?.start]),
    [
      ['StageNameCasing', 3],
      ['UndefinedVar', 4],
    ],
  )
})

test('checkUrl() is the page of the check', () => {
  assert.equal(checkUrl('JSONArgsRecommended'), 'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/')
  assert.equal(
    checkUrl('SecretsUsedInArgOrEnv'),
    'https://docs.docker.com/go/dockerfile/rule/secrets-used-in-arg-or-env/',
  )
  assert.equal(Object.keys(checkRules).length, 21)
})

test('checkDockerfile() answers soon whatever a port or a path is', () => {
  const startedMs = performance.now()
  assert.deepEqual(check(`FROM scratch\nEXPOSE 1${'/'.repeat(100_000)}\n`), { warnings: [] })
  const path = 'a/'.repeat(100_000)
  const dockerfile = `FROM scratch\nCOPY ${path}b /\n`
  const ignored = parseIgnoreFile('*/*/*c')
  assert.deepEqual(checkDockerfile({ dockerfile, args: {}, automatic: new Map(), ignored }).warnings, [])
  assert.ok(performance.now() - startedMs < 1000, `${performance.now() - startedMs} ms`)
})
