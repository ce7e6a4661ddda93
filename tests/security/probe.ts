import {
  command,
  demultiplex,
  type FixtureFile,
  fixtureImage,
  type FixtureImage,
  imageArchive,
  layerOf,
  type TestEngine,
} from '@berth/testing'
import { buffer } from 'node:stream/consumers'

/** How far a container came, and what it printed. */
export interface Outcome {
  /** The step that refused; `ran` when none did. */
  readonly refusedBy: 'load' | 'create' | 'start' | 'ran'
  /** Why it was refused. */
  readonly message: string
  readonly code: number
  readonly output: string
}

const messageOf = (body: string): string => {
  try {
    return String((JSON.parse(body) as { message?: unknown }).message ?? body)
  } catch {
    return body
  }
}

/** Creates, runs to its end and removes a container; a refusal is an outcome too. Output is that of both streams, raw. */
export async function tryRun(engine: TestEngine, body: object): Promise<Outcome> {
  const { api } = engine
  const created = await api.request('POST', `/containers/create?name=${engine.name()}`, body)
  if (created.status !== 201) return refusal('create', created.text)
  const { Id } = JSON.parse(created.text) as { Id: string }
  try {
    const started = await api.request('POST', `/containers/${Id}/start`)
    if (started.status !== 204) return refusal('start', started.text)
    const { StatusCode } = (await api.json('POST', `/containers/${Id}/wait`)) as { StatusCode: number }
    return { refusedBy: 'ran', message: '', code: StatusCode, output: await outputOf(engine, Id) }
  } finally {
    await api.request('DELETE', `/containers/${Id}?force=1&v=1`)
  }
}

const refusal = (refusedBy: Outcome['refusedBy'], body: string): Outcome => ({
  refusedBy,
  message: messageOf(body),
  code: -1,
  output: '',
})

/** What a container has printed, both streams. */
export async function outputOf({ api }: TestEngine, id: string): Promise<string> {
  const { Config } = (await api.json('GET', `/containers/${id}/json`)) as { Config: { Tty: boolean } }
  const { body } = await api.open('GET', `/containers/${id}/logs?stdout=1&stderr=1`)
  const bytes = await buffer(body)
  if (Config.Tty) return bytes.toString().replaceAll('\r', '').trim()
  const { stdout, stderr } = demultiplex(bytes)
  return (stdout + stderr).trim()
}

/** Loads an image with `files` in a layer above busybox's, and returns its name. */
export async function loadImage(
  engine: TestEngine,
  files: readonly FixtureFile[],
  overrides: Partial<FixtureImage> = {},
): Promise<string> {
  const reference = `hostile-${engine.name()}:x`
  const busybox = await fixtureImage('busybox')
  const image = { ...busybox, reference, layers: [...busybox.layers, layerOf(files)], ...overrides }
  const archive = Buffer.concat(await Array.fromAsync(imageArchive(image)))
  const answer = await engine.api.request('POST', '/images/load?quiet=1', archive, {
    headers: { 'Content-Type': 'application/x-tar' },
  })
  if (answer.status !== 200 || answer.text.includes('"error"')) throw new Error(`load: ${answer.text}`)
  return reference
}

/** Runs a command in the mount and network namespaces of the engine's sandbox. */
export async function onHost(engine: TestEngine, ...argv: string[]): Promise<string> {
  if (!engine.daemon) throw new Error('only an engine of its own has a host to look at')
  const { file, args, env } = engine.daemon.sandbox.enter(argv)
  const result = await command(file, args, { env: env as Record<string, string> })
  return result.stdout.trim()
}
