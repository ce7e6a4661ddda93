import type { Cli } from '../cli.ts'
import { chooseConnection } from '../global-flags.ts'
import type { ConfigFile, ProxyConfig } from '../config-file.ts'

const variables: Readonly<Record<string, keyof ProxyConfig>> = {
  HTTP_PROXY: 'httpProxy',
  HTTPS_PROXY: 'httpsProxy',
  NO_PROXY: 'noProxy',
  FTP_PROXY: 'ftpProxy',
  ALL_PROXY: 'allProxy',
}

/**
 * What config.json's `proxies` sets for new containers and builds at this engine, in capitals and in small letters, but
 * what is set already: `given` are the names.
 */
export function proxyVariables(cli: Cli, given: Iterable<string>): Record<string, string> {
  const { proxies } = cli.config
  if (proxies === undefined) return {}
  return chosenVariables(proxies, chooseConnection(cli.globals, cli.env, cli.config).host, new Set(given))
}

/** The proxies of one host, else those of `default`. */
export function chosenVariables(
  proxies: NonNullable<ConfigFile['proxies']>,
  host: string,
  given: ReadonlySet<string>,
): Record<string, string> {
  const chosen = (Object.hasOwn(proxies, host) ? proxies[host] : proxies['default']) ?? {}
  const pairs = Object.entries(variables).flatMap(([name, field]) => {
    const value = chosen[field] ?? ''
    const names = value === '' ? [] : [name, name.toLowerCase()]
    return names.filter((one) => !given.has(one)).map((one) => [one, value] as const)
  })
  return Object.fromEntries(pairs)
}

/** An environment with the proxies that it does not have. */
export function withProxies(cli: Cli, environment: readonly string[]): string[] {
  const names = environment.map((text) => text.replace(/=.*$/s, ''))
  const added = Object.entries(proxyVariables(cli, names)).map(([name, value]) => `${name}=${value}`)
  return [...environment, ...added]
}
