import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { command, type EngineApi, fixtureImage, imageArchive, readTar, type TarEntry } from '@berth/testing'
import { hostConfig, lowerTree, outside, script } from './scenario.ts'

/** What an engine says that a container did, and what it makes of it. */
export interface ChangeFacts {
  /** `docker diff`. */
  readonly diff: readonly string[]
  /** `docker export`, below /t. */
  readonly exported: readonly string[]
  /** The layer that a commit adds. */
  readonly layer: readonly string[]
  /** `docker export` of a container of the committed image, below /t. */
  readonly committed: readonly string[]
  /** The users' attributes in there, which dockerd leaves out. */
  readonly attributes: readonly string[]
}

/** Runs the scenario and leaves nothing behind. */
export async function changeFacts(api: EngineApi): Promise<ChangeFacts> {
  const tag = `berth-changes-${process.pid}`
  await using stack = new AsyncDisposableStack()
  const image = await baseImage(api, `${tag}-base`, stack)
  const id = await create(api, stack, { Image: image, Cmd: ['sleep', '1000'], HostConfig: hostConfig })
  await api.json('POST', `/containers/${id}/start`)
  await change(api, id)
  const diff = await diffOf(api, id)
  const exported = await treeOf(api, id)
  await commit(api, stack, id, tag)
  const layer = await topLayer(api, tag)
  const committed = await treeOf(api, await create(api, stack, { Image: tag, Cmd: ['x'] }))
  return {
    diff,
    exported: exported.map(withoutAttributes),
    layer: layer.map(withoutAttributes),
    committed: committed.map(withoutAttributes),
    attributes: committed
      .flatMap((line) => line.match(/^\S+|user\.\S+/g)?.join(' ') ?? [])
      .filter((line) => line.includes('user.')),
  }
}

const withoutAttributes = (line: string): string => line.replaceAll(/ user\.\S+/g, '')

/** A busybox with a further layer. */
async function baseImage(api: EngineApi, tag: string, stack: AsyncDisposableStack): Promise<string> {
  const tar = await lowerTree()
  const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`
  const busybox = await fixtureImage('busybox')
  const layers = [...busybox.layers, { diffId, sizeBytes: tar.length, open: () => chunk(tar) }]
  const image = Readable.from(imageArchive({ ...busybox, reference: `${tag}:latest`, layers }))
  const headers = { 'Content-Type': 'application/x-tar' }
  const { status, text } = await api.request('POST', '/images/load?quiet=1', image, { headers })
  if (status !== 200 || text.includes('"error"')) throw new Error(text)
  stack.defer(async () => void (await api.request('DELETE', `/images/${tag}?force=1`)))
  return tag
}

async function create(api: EngineApi, stack: AsyncDisposableStack, body: object): Promise<string> {
  const { Id } = (await api.json('POST', '/containers/create', body)) as { Id: string }
  stack.defer(async () => void (await api.request('DELETE', `/containers/${Id}?force=1&v=1`)))
  return Id
}

async function commit(api: EngineApi, stack: AsyncDisposableStack, id: string, tag: string): Promise<void> {
  await api.json('POST', `/commit?container=${id}&repo=${tag}`)
  stack.defer(async () => void (await api.request('DELETE', `/images/${tag}?force=1`)))
}

async function change(api: EngineApi, id: string): Promise<void> {
  const exec = { Cmd: ['sh', '-c', script], AttachStdout: true, AttachStderr: true, Tty: true }
  const { Id } = (await api.json('POST', `/containers/${id}/exec`, exec)) as { Id: string }
  const { text } = await api.request('POST', `/exec/${Id}/start`, { Tty: true })
  const { ExitCode } = (await api.json('GET', `/exec/${Id}/json`)) as { ExitCode: number }
  if (ExitCode !== 0) throw new Error(`the scenario ended with ${ExitCode}: ${text}`)
  const { State } = (await api.json('GET', `/containers/${id}/json`)) as { State: { Pid: number } }
  const { code, stderr } = await command('python3', ['-c', outside, `/proc/${State.Pid}/root`])
  if (code !== 0) throw new Error(stderr)
}

async function diffOf(api: EngineApi, id: string): Promise<string[]> {
  const changes = (await api.json('GET', `/containers/${id}/changes`)) as { Kind: number; Path: string }[]
  return changes.map(({ Kind, Path }) => `${'CAD'[Kind]} ${shortened(Path)}`).toSorted()
}

async function treeOf(api: EngineApi, id: string): Promise<string[]> {
  const { body } = await api.open('GET', `/containers/${id}/export`)
  return (await listingOf(body)).filter((line) => line.startsWith('t/'))
}

interface Manifest {
  readonly Layers: readonly string[]
}

async function topLayer(api: EngineApi, tag: string): Promise<string[]> {
  const { body } = await api.open('GET', `/images/${tag}/get`)
  const files = new Map<string, Buffer>()
  for await (const { entry, content } of readTar(body)) {
    files.set(entry.path, Buffer.concat(await Array.fromAsync(content())))
  }
  const [manifest] = JSON.parse(String(files.get('manifest.json'))) as Manifest[]
  const layer = files.get(manifest?.Layers.at(-1) ?? '')
  if (!layer) throw new Error('the saved image lacks its last layer')
  return await listingOf(chunk(layer))
}

async function* chunk(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

async function listingOf(tar: AsyncIterable<Uint8Array>): Promise<string[]> {
  const lines: string[] = []
  for await (const { entry, content } of readTar(tar)) {
    const hash = createHash('sha256')
    for await (const bytes of content()) hash.update(bytes)
    lines.push(describe(entry, hash.digest('hex').slice(0, 8)))
  }
  return lines.toSorted()
}

function describe(entry: TarEntry, digest: string): string {
  const { path, type, mode, uid, gid, sizeBytes, mtime, deviceMajor, deviceMinor, linkPath } = entry
  if (path.includes('/.wh.')) return `${shortened(path)} whiteout`
  const isDevice = type === 'character' || type === 'block'
  const parts = [
    shortened(path.replace(/^\.?\//, '')),
    type,
    mode.toString(8),
    `${uid}:${gid}`,
    ...(type === 'file' ? [sizeBytes, digest] : []),
    ...(isDevice ? [`${deviceMajor}:${deviceMinor}`] : []),
    ...(linkPath === '' ? [] : [`-> ${linkPath.replace(/^\.?\//, '/')}`]),
    ...[...(entry.xattrs ?? [])].map(([name, value]) => `${name}=${value.toString('hex')}`).toSorted(),
    // What the scenario set; anything else is the time of the run.
    mtime.seconds < 1_100_000_000 ? `@${mtime.seconds - 1_000_000_000}` : 'now',
  ]
  return parts.join(' ')
}

const shortened = (path: string): string => JSON.stringify(path.replaceAll(/(long-){40}/g, 'LONG-')).slice(1, -1)
