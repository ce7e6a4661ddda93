import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command, useEngine } from '@berth/testing'

const engine = useEngine()
/** Debian's Python has python3-docker; another one on the PATH may have docker-py from elsewhere. */
async function pythonWithDocker(): Promise<string> {
  for (const file of ['/usr/bin/python3', 'python3']) {
    if ((await command(file, ['-c', 'import docker'])).code === 0) return file
  }
  throw new Error('no Python with docker-py: install python3-docker')
}

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
