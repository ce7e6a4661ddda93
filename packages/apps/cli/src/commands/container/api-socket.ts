import { tarEntry, writeTar } from '@berth/archive'
import { messageOf } from '@berth/base'
import type { AuthConfig } from '@berth/engine-api'
import { type ContainerCreateBody, defaultHost, type Endpoint, parseHost } from '@berth/engine-client'
import type { Cli } from '../../cli.ts'
import { credentialsOf } from '../../credentials/registry-auth.ts'

/** Where clients look for the engine, and where docker puts what they are logged in to. */
const socketInside = '/var/run/docker.sock'
const configFolder = '/run/secrets/docker'

export interface ApiSocketPlan {
  readonly body: ContainerCreateBody
  /** To be done once the container is there. */
  readonly handOver: (id: string) => Promise<void>
}

/** `--use-api-socket`: the engine's socket in the container, and the user's credentials where it names no others. */
export async function planApiSocket(cli: Cli, body: ContainerCreateBody): Promise<ApiSocketPlan> {
  const mount = { Type: 'bind', Source: socketOf(cli), Target: socketInside } as const
  const HostConfig = { ...body.HostConfig, Mounts: [...(body.HostConfig?.Mounts ?? []), mount] }
  const auths = await credentialsOf(cli).all()
  const namesOthers = (body.Env ?? []).some((entry) => entry.startsWith('DOCKER_CONFIG='))
  if (namesOthers || Object.keys(auths).length === 0) {
    return { body: { ...body, HostConfig }, handOver: async () => undefined }
  }
  const Env = [...(body.Env ?? []), `DOCKER_CONFIG=${configFolder}`]
  return { body: { ...body, Env, HostConfig }, handOver: (id) => writeConfig(cli, id, auths) }
}

/** As the engine's machine knows it: an engine elsewhere has it in the usual place, if the endpoint does not say more. */
function socketOf(cli: Cli): string {
  return socketIn(cli.engine.transport.endpoint) ?? socketIn(parseHost(defaultHost)) ?? ''
}

function socketIn(endpoint: Endpoint): string | undefined {
  if (endpoint.kind === 'tcp') return undefined
  return endpoint.kind === 'unix' ? endpoint.path : endpoint.socket
}

/** A container without what it was to have is removed again; the message says so where it cannot be. */
async function writeConfig(cli: Cli, id: string, auths: Readonly<Record<string, AuthConfig>>): Promise<void> {
  const { containers } = cli.engine
  try {
    await containers.writeArchive(id, '/', { stream: configArchive(auths) })
  } catch (error) {
    const left = await containers.remove(id, { force: true, v: true }).then(
      () => '',
      (reason: unknown) => `; container ${id} is left: ${messageOf(reason)}`,
    )
    throw new Error(`injecting docker config.json into container failed: ${messageOf(error)}${left}`, { cause: error })
  }
}

function configArchive(auths: Readonly<Record<string, AuthConfig>>): AsyncIterable<Uint8Array> {
  const entries = Object.entries(auths).map(([server, auth]) => [server, storedForm(auth)] as const)
  const content = Buffer.from(JSON.stringify({ auths: Object.fromEntries(entries) }, undefined, '\t'))
  const path = `${configFolder.slice(1)}/config.json`
  return writeTar([{ entry: tarEntry({ path, mode: 0o600, sizeBytes: content.length }), content }])
}

/** As config.json has it: name and password in one. */
function storedForm({ username = '', password = '', identitytoken, registrytoken }: AuthConfig): object {
  const pair = Buffer.from(`${username}:${password}`).toString('base64')
  return {
    ...(username !== '' && { auth: pair }),
    ...(identitytoken !== undefined && { identitytoken }),
    ...(registrytoken !== undefined && { registrytoken }),
  }
}
