import { decodeContainerCreate, newestVersion } from '@berth/engine-api'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logTarget, publicLogPath } from './logs.ts'
import { openForTest } from './testing/open-for-test.ts'

async function started(LogConfig: object) {
  using engine = await openForTest()
  const request = decodeContainerCreate({ Image: 'busybox', HostConfig: { LogConfig } }, newestVersion)
  const { id } = await engine.containers.create({ ...request, name: 'one' })
  await engine.containers.start(id)
  const container = engine.containers.get(id)
  return { id, target: logTarget({ directory: '/d' }, container), path: publicLogPath({ directory: '/d' }, container) }
}

test('logTarget() lets lines be dropped in the mode that does not block only', async () => {
  const dropped = async (Config: object) => {
    const { target } = await started({ Type: 'json-file', Config })
    return target.driver === 'none' ? assert.fail() : target.dropsBeyondBytes
  }
  assert.equal(await dropped({}), undefined)
  assert.equal(await dropped({ mode: 'blocking' }), undefined)
  assert.equal(await dropped({ mode: 'non-blocking' }), 2 ** 20)
  assert.equal(await dropped({ mode: 'non-blocking', 'max-buffer-size': '4m' }), 4 * 2 ** 20)
})

test("publicLogPath() tells of json-file's log and hides the others", async () => {
  const { id, path } = await started({ Type: 'json-file', Config: {} })
  assert.equal(path, `/d/${id}/${id}-json.log`)
  assert.equal((await started({ Type: 'local', Config: {} })).path, '')
  assert.equal((await started({ Type: 'none', Config: {} })).path, '')
})
