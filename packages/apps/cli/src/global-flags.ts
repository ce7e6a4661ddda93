import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultHost, EngineClient, parseHost, type TlsOptions } from '@berth/engine-client'
import { configDirectory, readConfigFile } from './config-file.ts'
import { contextHost } from './context-store.ts'
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

/** The engine to talk to: -H, --context, BERTH_HOST, DOCKER_HOST, else the local socket. */
export function chooseHost(flags: GlobalFlags, env: Environment): string {
  const context = flags.context === '' ? (env['BERTH_CONTEXT'] ?? '') : flags.context
  if (flags.host[0] === undefined && context !== '' && context !== 'default') {
    return contextHost(configDirectory(env, flags.config), context)
  }
  const candidates = [flags.host[0], env['BERTH_HOST'], env['DOCKER_HOST']]
  return candidates.find((host) => host !== undefined && host !== '') ?? defaultHost
}

export function connectEngine(flags: GlobalFlags, env: Environment): EngineClient {
  const tls = tlsOptions(flags, env)
  const apiVersion = env['BERTH_API_VERSION'] ?? env['DOCKER_API_VERSION']
  const { HttpHeaders } = readConfigFile(configDirectory(env, flags.config), () => undefined)
  return new EngineClient({
    endpoint: parseHost(chooseHost(flags, env), tls !== undefined),
    tls,
    apiVersion: apiVersion === '' ? undefined : apiVersion?.replace(/^v/, ''),
    headers: HttpHeaders,
  })
}

function tlsOptions(flags: GlobalFlags, env: Environment): TlsOptions | undefined {
  const verify = flags.tlsVerify || (env['DOCKER_TLS_VERIFY'] ?? '') !== ''
  if (!verify && !flags.tls && (env['DOCKER_TLS'] ?? '') === '') return undefined
  const directory = env['DOCKER_CERT_PATH'] ?? configDirectory(env, flags.config)
  const read = (flag: string, name: string): string | undefined => {
    const path = flag === '' ? join(directory, name) : flag
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      if (flag === '') return undefined
      throw new StatusError(1, `could not read ${path}: ${String(error)}`)
    }
  }
  return {
    ca: read(flags.tlsCaCert, 'ca.pem'),
    cert: read(flags.tlsCert, 'cert.pem'),
    key: read(flags.tlsKey, 'key.pem'),
    verify,
  }
}
