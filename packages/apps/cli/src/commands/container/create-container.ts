import { writeFileSync, rmSync, existsSync } from 'node:fs'
import { messageOf } from '@berth/base'
import { type ContainerCreateBody, isStatus } from '@berth/engine-client'
import type { Cli } from '../../cli.ts'
import { StatusError } from '../../errors.ts'
import { reasonOf } from '../../options/key-values.ts'
import { checkPlatform } from '../../options/platform.ts'
import { withProxies } from '../../options/proxies.ts'
import type { ApiSocketPlan } from './api-socket.ts'
import { familiarName, splitReference } from '../../options/reference.ts'

export interface CreateRequest {
  readonly body: ContainerCreateBody
  readonly name: string
  readonly platform: string
  /** `always`, `missing` or `never`. */
  readonly pull: string
  readonly quiet: boolean
  /** The container gets the engine's socket, and credentials. */
  readonly useApiSocket: boolean
}

/** Creates a container, pulling its image if need be; resolves with its id. */
export async function createContainer(cli: Cli, request: CreateRequest): Promise<string> {
  const { name, platform, pull } = request
  const Env = withProxies(cli, request.body.Env ?? [])
  const asked = Env.length > 0 ? { ...request.body, Env } : request.body
  const { body, handOver } = await withApiSocket(cli, asked, request.useApiSocket)
  const image = body.Image ?? ''
  checkPlatform(platform)
  if (!/^[0-9a-f]{64}$/.test(image)) splitReference(image)
  const cidFile = openCidFile(body.HostConfig?.ContainerIDFile ?? '')
  const query = { name: name === '' ? undefined : name, platform: platform === '' ? undefined : platform }
  if (pull === 'always') await pullImage(cli, request)
  const response = await cli.engine.containers.create(body, query).catch(async (error: unknown) => {
    if (!isStatus(error, 404) || pull !== 'missing' || !isImageMissing(messageOf(error))) throw error
    cli.err(`Unable to find image '${familiarName(image)}' locally\n`)
    await pullImage(cli, request)
    return cli.engine.containers.create(body, query)
  })
  await handOver(response.Id)
  for (const warning of response.Warnings ?? []) cli.err(`WARNING: ${warning}\n`)
  cidFile(response.Id)
  return response.Id
}

async function withApiSocket(cli: Cli, body: ContainerCreateBody, isWanted: boolean): Promise<ApiSocketPlan> {
  if (!isWanted) return { body, handOver: async () => undefined }
  const { planApiSocket } = await import('./api-socket.ts')
  return planApiSocket(cli, body)
}

/** The image is absent, or there for other platforms only. */
function isImageMissing(message: string): boolean {
  return /no such image/i.test(message) || message.includes('does not match the specified platform')
}

/** Makes sure that the file is not there; returns what writes the id into it. */
function openCidFile(path: string): (id: string) => void {
  if (path === '') return () => undefined
  if (existsSync(path)) {
    throw new StatusError(125, `container ID file found, make sure the other container isn't running or delete ${path}`)
  }
  try {
    writeFileSync(path, '', { flag: 'wx' })
  } catch (error) {
    throw new StatusError(125, `failed to create the container ID file: open ${path}: ${reasonOf(error)}`)
  }
  process.once('exit', () => {
    if (!written) rmSync(path, { force: true })
  })
  let written = false
  return (id) => {
    writeFileSync(path, id)
    written = true
  }
}

async function pullImage(cli: Cli, { body, platform, quiet }: CreateRequest): Promise<void> {
  const { name, tag } = splitReference(body.Image ?? '')
  const [{ printProgress }, { registryAuthHeader }, { parseReference }] = await Promise.all([
    import('../../output/progress.ts'),
    import('../../credentials/registry-auth.ts'),
    import('@berth/oci'),
  ])
  const auth = await registryAuthHeader(cli, parseReference(name).domain)
  const query = { tag, platform: platform === '' ? undefined : platform, ...(auth !== undefined && { auth }) }
  await printProgress(cli, cli.engine.images.pull(name, query), quiet ? 'silent' : 'stderr')
}
