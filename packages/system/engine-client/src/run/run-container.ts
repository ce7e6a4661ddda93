import type { EngineClient } from '../engine-client.ts'
import { isStatus } from '../errors.ts'
import { waitUntilReady } from './readiness.ts'
import { buildRunBody, type RunOptions } from './run-options.ts'
import { RunningContainer } from './running-container.ts'

/** Creates, starts and waits until ready; whatever fails on the way leaves no container behind. */
export async function runContainer(
  client: EngineClient,
  image: string,
  options: RunOptions,
): Promise<RunningContainer> {
  const { signal, ready, pull = 'missing' } = options
  const scoped = signal === undefined ? client : client.withSignal(signal)
  if (pull === 'always') await pullImage(scoped, image)
  const id = await create(scoped, image, options)
  const container = new RunningContainer(client, { id, name: options.name ?? id.slice(0, 12) })
  try {
    await scoped.containers.start(id)
    if (ready !== undefined) await waitUntilReady(container, ready, signal)
    return container
  } catch (error) {
    await container.remove()
    throw error
  }
}

async function create(client: EngineClient, image: string, options: RunOptions): Promise<string> {
  const body = buildRunBody(image, options)
  const query = options.name === undefined ? {} : { name: options.name }
  try {
    return (await client.containers.create(body, query)).Id
  } catch (error) {
    if (!isStatus(error, 404) || (options.pull ?? 'missing') !== 'missing') throw error
    await pullImage(client, image)
    return (await client.containers.create(body, query)).Id
  }
}

async function pullImage(client: EngineClient, image: string): Promise<void> {
  const at = image.includes('@') ? image.lastIndexOf('@') : image.lastIndexOf(':')
  const isTagged = at > image.lastIndexOf('/')
  const [name, tag] = isTagged ? [image.slice(0, at), image.slice(at + 1)] : [image, 'latest']
  for await (const { errorDetail, error } of client.images.pull(name, { tag })) {
    const message = errorDetail?.message ?? error
    if (message !== undefined) throw new Error(`cannot pull ${image}: ${message}`)
  }
}
