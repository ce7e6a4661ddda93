import { invalid } from '@berth/base'
import { adaptCreate } from './adapt-create.ts'
import type {
  ContainerConfig,
  ContainerCreateRequest,
  HostConfig,
  Resources,
  RestartPolicy,
} from './container-config.ts'
import { containerConfig, containerConfigFields, endpointSettings } from './decode-container-config.ts'
import { hostConfig, resourceFields, restartPolicy } from './decode-host-config.ts'
import type { ExecCreateRequest, ExecStartRequest } from './exec.ts'
import { bool, decode, type Fields, list, listOrEmpty, mapOrEmpty, optional, pair, string, struct } from './schema.ts'
import { type ApiVersion, has } from './versions.ts'

interface CreateBody extends ContainerConfig {
  HostConfig: HostConfig
  NetworkingConfig: { EndpointsConfig: ContainerCreateRequest['endpoints'] }
}

const networkingConfig = struct('network.NetworkingConfig', { EndpointsConfig: mapOrEmpty(endpointSettings) })
const createBody = struct<CreateBody>('container.CreateRequest', {
  ...containerConfigFields,
  HostConfig: hostConfig,
  NetworkingConfig: networkingConfig,
} as Fields<CreateBody>)

const configNames = new Set(Object.keys(containerConfigFields).map((name) => name.toLowerCase()))

/** The body of `POST /containers/create` at the newest version, with what the client is to be warned of. */
export function decodeContainerCreate(
  body: unknown,
  version: ApiVersion,
): Pick<ContainerCreateRequest, 'config' | 'hostConfig' | 'endpoints'> & { readonly warnings: readonly string[] } {
  const { HostConfig, NetworkingConfig, ...config } = decode(createBody, body, '')
  if (!hasConfig(body)) throw invalid('config cannot be empty in order to create a container')
  return adaptCreate({ config, hostConfig: HostConfig, endpoints: NetworkingConfig.EndpointsConfig }, version)
}

/** The body of `POST /commit`: overrides of the container's configuration, if any. */
export function decodeCommit(body: unknown): ContainerConfig | undefined {
  const config = decode(containerConfig, body, '')
  return hasConfig(body) ? config : undefined
}

function hasConfig(body: unknown): boolean {
  return Object.keys(body ?? {}).some((name) => configNames.has(name.toLowerCase()))
}

export type ContainerUpdateRequest = Partial<Resources> & { RestartPolicy?: RestartPolicy }

const optionalResources = Object.fromEntries(
  Object.entries(resourceFields).map(([name, type]) => [name, optional(type as never)]),
) as unknown as Fields<Partial<Resources>>

const updateBody = struct<ContainerUpdateRequest>('container.UpdateConfig', {
  ...optionalResources,
  RestartPolicy: optional(restartPolicy),
})

/** The body of `POST /containers/{id}/update`: only what changes (0, '' and [] mean that a limit stays). */
export function decodeContainerUpdate(body: unknown, version: ApiVersion): ContainerUpdateRequest {
  const update = decode(updateBody, body, 'UpdateConfig')
  if (!has(version, 'pidsLimitUpdate')) delete update.PidsLimit
  if (!has(version, 'kernelMemory')) delete update.KernelMemory
  if (typeof update.PidsLimit === 'number' && update.PidsLimit <= 0) update.PidsLimit = 0
  if (update.RestartPolicy?.Name === '') delete update.RestartPolicy
  return Object.fromEntries(Object.entries(update).filter(([name, value]) => name === 'PidsLimit' || isSet(value)))
}

const isSet = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : value !== 0 && value !== '')

const execBody = struct<Required<Omit<ExecCreateRequest, 'ConsoleSize'>> & Pick<ExecCreateRequest, 'ConsoleSize'>>(
  'container.ExecOptions',
  {
    User: string,
    Privileged: bool,
    Tty: bool,
    ConsoleSize: optional(pair),
    AttachStdin: bool,
    AttachStdout: bool,
    AttachStderr: bool,
    DetachKeys: string,
    Env: list(string),
    WorkingDir: string,
    Cmd: listOrEmpty(string),
  },
)

/** The body of `POST /containers/{id}/exec`. */
export function decodeExecCreate(
  body: unknown,
  version: ApiVersion,
): Required<Omit<ExecCreateRequest, 'ConsoleSize'>> & Pick<ExecCreateRequest, 'ConsoleSize'> {
  const request = decode(execBody, body, 'ExecOptions')
  if (request.Cmd.length === 0) throw invalid('No exec command specified')
  if (!has(version, 'consoleSize')) delete request.ConsoleSize
  return request
}

const execStartBody = struct<{ Detach: boolean; Tty: boolean; ConsoleSize?: [number, number] }>(
  'container.ExecStartOptions',
  { Detach: bool, Tty: bool, ConsoleSize: optional(pair) },
)

/** The body of `POST /exec/{id}/start`; a console size without a terminal is dropped. */
export function decodeExecStart(
  body: unknown,
  version: ApiVersion,
): Required<Omit<ExecStartRequest, 'ConsoleSize'>> & Pick<ExecStartRequest, 'ConsoleSize'> {
  const request = decode(execStartBody, body, 'ExecStartOptions')
  if (!request.Tty || !has(version, 'consoleSize')) delete request.ConsoleSize
  return request
}
