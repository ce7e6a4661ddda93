import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, messageOf } from '@berth/base'
import { defaultHost, EngineClient, formatEndpoint, parseHost, type TlsOptions } from '@berth/engine-client'
import { type ConfigFile, configDirectory } from './config-file.ts'
import { defaultContextName, readContext, readTlsFiles } from './context/context-store.ts'
import { currentContext } from './context/current-context.ts'
import { customHeaders } from './custom-headers.ts'
import { readFailure } from './options/key-values.ts'
import { StatusError } from './errors.ts'
import { boolean, type FlagValues, list, string } from './flags/flag.ts'

export const globalFlags = {
  config: string('config', 'Location of client config files (default "~/.docker")'),
  context: string(
    'c,context',
    'Name of the context to use to connect to the daemon (overrides BERTH_HOST and DOCKER_HOST)',
  ),
  debug: boolean('D,debug', 'Enable debug mode'),
  host: list('H,host', 'Daemon socket to connect to'),
  logLevel: string(
    'l,log-level',
    'Set the logging level ("debug", "info", "warn", "error", "fatal") (default "info")',
    'info',
  ),
  tls: boolean('tls', 'Use TLS; implied by --tlsverify'),
  tlsCaCert: string('tlscacert', 'Trust certs signed only by this CA (default "~/.docker/ca.pem")'),
  tlsCert: string('tlscert', 'Path to TLS certificate file (default "~/.docker/cert.pem")'),
  tlsKey: string('tlskey', 'Path to TLS key file (default "~/.docker/key.pem")'),
  tlsVerify: boolean('tlsverify', 'Use TLS and verify the remote'),
  version: boolean('v,version', 'Print version information and quit'),
}
export type GlobalFlags = FlagValues<typeof globalFlags>

type Environment = Readonly<Record<string, string | undefined>>

const logLevels = new Set(['panic', 'fatal', 'error', 'warn', 'warning', 'info', 'debug', 'trace'])

/** Throws a `StatusError` for global flags that no command can work with. */
export function checkGlobals(flags: GlobalFlags): void {
  if (!logLevels.has(flags.logLevel.toLowerCase())) {
    throw new StatusError(1, `Unable to parse logging level: ${flags.logLevel}`)
  }
  if (flags.host.length > 0 && flags.context !== '') {
    throw new StatusError(1, 'conflicting options: cannot specify both --host and --context')
  }
  if (flags.host.length > 1) {
    throw new StatusError(1, 'Failed to initialize: unable to resolve berth endpoint: Specify only one -H')
  }
}

/** The engine that flags and environment name, as a URL: -H, BERTH_HOST, DOCKER_HOST, else the local socket. */
export function environmentHost(flags: GlobalFlags, env: Environment): string {
  const named = [env['BERTH_HOST'], env['DOCKER_HOST']].find((one) => one !== undefined && one !== '')
  // An empty -H asks for the local engine, whatever the environment says.
  const host = (flags.host[0] ?? named ?? '') || defaultHost
  return formatEndpoint(parseHost(host, usesTls(flags, env)))
}

export interface Connection {
  readonly host: string
  readonly tls: TlsOptions | undefined
}

/** The engine to talk to, by context or by flags and environment; throws a `StatusError` if it cannot be told. */
export function chooseConnection(flags: GlobalFlags, env: Environment, config: ConfigFile): Connection {
  const name = currentContext({ flags, env, config })
  try {
    if (name !== defaultContextName) return contextConnection(configDirectory(env, flags.config), name)
    return { host: environmentHost(flags, env), tls: tlsOptions(flags, env) }
  } catch (error) {
    throw new StatusError(1, `Failed to initialize: unable to resolve berth endpoint: ${messageOf(error)}`)
  }
}

function contextConnection(directory: string, name: string): Connection {
  const endpoint = readContext(directory, name).Endpoints.docker
  if (endpoint?.Host === undefined || endpoint.Host === '')
    throw new Error(`context ${JSON.stringify(name)} has no host`)
  const files = readTlsFiles(directory, name)
  const verify = endpoint.SkipTLSVerify !== true
  const pems = { ca: files['ca.pem'], cert: files['cert.pem'], key: files['key.pem'] }
  return { host: endpoint.Host, tls: verify && Object.keys(files).length === 0 ? undefined : { ...pems, verify } }
}

export function connectEngine(flags: GlobalFlags, env: Environment, config: ConfigFile): EngineClient {
  const { host, tls } = chooseConnection(flags, env, config)
  const headers = headersFor(env, config)
  const apiVersion = env['BERTH_API_VERSION'] ?? env['DOCKER_API_VERSION']
  return new EngineClient({
    endpoint: parseHost(host, tls !== undefined),
    tls,
    apiVersion: apiVersion === '' ? undefined : apiVersion?.replace(/^v/, ''),
    headers,
  })
}

function headersFor(env: Environment, config: ConfigFile): Readonly<Record<string, string>> | undefined {
  try {
    return customHeaders(env, config)
  } catch (error) {
    throw new StatusError(1, `Failed to initialize: ${messageOf(error)}`)
  }
}

function usesTls(flags: GlobalFlags, env: Environment): boolean {
  return flags.tls || flags.tlsVerify || (env['DOCKER_TLS_VERIFY'] ?? '') !== '' || (env['DOCKER_TLS'] ?? '') !== ''
}

function tlsOptions(flags: GlobalFlags, env: Environment): TlsOptions | undefined {
  if (!usesTls(flags, env)) return undefined
  const given = env['DOCKER_CERT_PATH'] ?? ''
  const directory = given === '' ? configDirectory(env, flags.config) : given
  return {
    ca: readPem(flags.tlsCaCert === '' ? join(directory, 'ca.pem') : flags.tlsCaCert, ''),
    cert: readPem(flags.tlsCert, join(directory, 'cert.pem')),
    key: readPem(flags.tlsKey, join(directory, 'key.pem')),
    verify: flags.tlsVerify || (env['DOCKER_TLS_VERIFY'] ?? '') !== '',
  }
}

/** A file that was named has to be there; the usual one need not. */
function readPem(named: string, usual: string): string | undefined {
  const path = named === '' ? usual : named
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (named === '' && codeOf(error) === 'ENOENT') return undefined
    throw new Error(readFailure(path, error), { cause: error })
  }
}
