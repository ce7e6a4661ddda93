import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { command, type TestEngine } from '@berth/testing'

/** The examples of the SDK, and what they print. */
export const examples: readonly (readonly [name: string, printed: RegExp])[] = [
  ['run-and-remove', /^hello\n/],
  ['follow-logs', /^stdout: line 1\nstdout: line 2\nstdout: line 3\n$/],
  ['exec', /^3: hello from inside\n404: No such container: no-such-container\n$/],
  ['watch-events', /create .*start .*die .*destroy\n$/],
  ['stats', /^(limit 67108864, processes \d+\n){2}$/],
]

export const exampleFile = (name: string): string =>
  fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url))

/** Runs a program in the engine's network, where its ports are published; returns what it prints. */
export async function runInside(
  engine: TestEngine,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const all = { BERTH_HOST: engine.host, ...env }
  const entered = engine.daemon?.sandbox.enter(argv) ?? { file: argv[0] ?? '', args: argv.slice(1) }
  const { code, stdout, stderr } = await command(entered.file, entered.args, { env: all })
  assert.equal(code, 0, stderr)
  return stdout
}
