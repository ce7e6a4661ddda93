import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before } from 'node:test'
import { type DaemonOptions, startDaemon, type TestDaemon } from './daemon.ts'
import { EngineApi } from './engine-api.ts'
import { fixtureImage, type FixtureName } from './fixtures/fixtures.ts'
import { imageArchive } from './fixtures/image.ts'

/** The engine that the tests of one file talk to. Filled in before the first test. */
export interface TestEngine {
  readonly host: string
  readonly api: EngineApi
  /** Absent when the engine runs already (`host`, BERTH_TEST_HOST). */
  readonly daemon: TestDaemon | undefined
  /** An empty folder for client configuration and scratch files, visible to the engine under the same path. */
  readonly folder: string
  /** A container name that nobody else has. */
  name(): string
}

export interface EngineOptions extends DaemonOptions {
  /** Images to load first; default: busybox. */
  readonly images?: readonly FixtureName[]
  /** Of an engine that runs already; default: BERTH_TEST_HOST's, or a berthd of the test's own. */
  readonly host?: string
}

const prefix = `bt-${process.pid}-`

/**
 * Registers hooks that start a berthd with fixture images and end it (asserting that nothing is left). With
 * `host` or BERTH_TEST_HOST the engine there is used, and only what the tests made is removed from it.
 */
export function useEngine(options: EngineOptions = {}): TestEngine {
  const state: { host: string; api?: EngineApi; daemon?: TestDaemon; folder: string; count: number } = {
    host: options.host ?? process.env['BERTH_TEST_HOST'] ?? '',
    folder: '',
    count: 0,
  }
  before(async () => {
    state.folder = mkdtempSync(join(tmpdir(), 'berth-test-'))
    if (state.host === '') {
      state.daemon = await startDaemon(options)
      state.host = state.daemon.host
    }
    state.api = new EngineApi(state.host)
    for (const name of options.images ?? ['busybox']) await loadFixture(state.api, name)
  })
  after(async () => {
    if (state.daemon) await state.daemon[Symbol.asyncDispose]()
    else if (state.api) await removeOwn(state.api)
    if (existsSync(state.folder)) rmSync(state.folder, { recursive: true })
  })
  return {
    get host() {
      return state.host
    },
    get api() {
      return state.api!
    },
    get daemon() {
      return state.daemon
    },
    get folder() {
      return state.folder
    },
    name: () => `${prefix}${++state.count}`,
  }
}

/** Loads a fixture image into an engine. */
export async function loadFixture(api: EngineApi, name: FixtureName): Promise<void> {
  const archive = Readable.from(imageArchive(await fixtureImage(name)))
  const answer = await api.request('POST', '/images/load?quiet=1', archive, {
    headers: { 'Content-Type': 'application/x-tar' },
  })
  if (answer.status !== 200 || answer.text.includes('"error"')) throw new Error(`load ${name}: ${answer.text}`)
}

async function removeOwn(api: EngineApi): Promise<void> {
  const all = (await api.json('GET', '/containers/json?all=1')) as { Id: string; Names: string[] }[]
  const own = all.filter(({ Names }) => Names.some((name) => name.startsWith(`/${prefix}`)))
  await Promise.all(own.map(({ Id }) => api.request('DELETE', `/containers/${Id}?force=1&v=1`)))
}
