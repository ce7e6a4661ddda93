import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command, pythonWithDocker, useEngine } from '@berth/testing'

const engine = useEngine()

for (const file of ['docker_py.py', 'docker_py_networks.py', 'docker_py_archives.py']) {
  test(`docker-py drives the engine unchanged: ${file}`, async () => {
    const script = fileURLToPath(new URL(file, import.meta.url))
    const env = { DOCKER_HOST: engine.host, DOCKER_CONFIG: engine.folder }
    const result = await command(await pythonWithDocker(), ['-B', '-W', 'ignore', script, '-v'], {
      env,
      timeoutMs: 120_000,
    })
    assert.equal(result.code, 0, result.stderr)
  })
}
