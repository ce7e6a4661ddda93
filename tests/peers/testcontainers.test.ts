import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command, useEngine } from '@berth/testing'

const engine = useEngine()
const script = fileURLToPath(new URL('testcontainers.script.ts', import.meta.url))

// Its helper that cleans up after a killed test run is an image of its own, which no registry here has.
const settings = { TESTCONTAINERS_RYUK_DISABLED: 'true', TESTCONTAINERS_HOST_OVERRIDE: '127.0.0.1' }

test('testcontainers drives the engine unchanged', async () => {
  const context = join(engine.folder, 'context')
  mkdirSync(context)
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nRUN echo built > /built\nCMD ["sleep", "100"]\n')
  const env = { ...settings, DOCKER_HOST: engine.host, DOCKER_CONFIG: engine.folder }
  const program = [process.execPath, script, context]
  // Published ports are reached where the engine is.
  const { file, args } = engine.daemon?.sandbox.enter(program) ?? { file: program[0]!, args: program.slice(1) }
  const result = await command(file, args, { env, timeoutMs: 120_000 })
  assert.equal(result.code, 0, result.stderr)
  assert.deepEqual(JSON.parse(result.stdout), {
    page: 'hello\n',
    copied: 'content',
    failure: 3,
    built: 'built\n',
    neighbour: 'hello\n',
    logged: true,
    again: 'hello\n',
    waited: 'timed out',
  })
})
