import { invalid } from '@berth/base'
import { type Mirror, type Proxies, proxiesOf, type RegistrySettings } from '@berth/registry'
import type { Config } from './config/config.ts'
import { engineVersion } from './version.ts'

/** How registries are reached, as the configuration says; a function of the current one, for a reload changes it. */
export function registrySettings(config: Config): RegistrySettings {
  return {
    insecure: config.get('insecure-registries', [] as readonly string[]).map(withoutScheme),
    mirrors: config.get('registry-mirrors', [] as readonly string[]).map(parseMirror),
    certificateDirectories: [config.get('registry-certs', '/etc/berth/certs.d'), '/etc/docker/certs.d'],
    proxies: proxies(config),
    isOffline: config.get('offline', false),
    userAgent: `berth/${engineVersion} (linux)`,
    attempts: atLeastOne(config, 'max-download-attempts', 5),
  }
}

/** Blobs under way at a time. */
export function transferLimits(config: Config): { readonly downloads: number; readonly uploads: number } {
  return {
    downloads: atLeastOne(config, 'max-concurrent-downloads', 3),
    uploads: atLeastOne(config, 'max-concurrent-uploads', 5),
  }
}

function atLeastOne(config: Config, key: string, otherwise: number): number {
  const value = config.get(key, otherwise)
  if (value < 1) throw invalid(`invalid --${key}: ${value}: at least 1`)
  return value
}

const withoutScheme = (text: string): string => text.replace(/^https?:\/\//, '')

/** `https://mirror` is one of Docker Hub, `host=https://mirror` of that host. Throws `invalid` in Docker's words. */
export function parseMirror(text: string): Mirror {
  const [, domain = 'docker.io', url = ''] = /^(?:([^=/]+)=)?(.*)$/.exec(text) ?? []
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw invalid(`invalid mirror: ${JSON.stringify(text)}: want a URL of http or https`)
  }
  if (parsed.search !== '' || parsed.hash !== '')
    throw invalid(`invalid mirror: query or fragment at end of the URI ${JSON.stringify(text)}`)
  if (parsed.username !== '' || parsed.password !== '') {
    throw invalid('invalid mirror: username/password not allowed in URI')
  }
  return { domain, url: parsed.href.replace(/\/$/, '') }
}

/** The configuration's, else what the environment says. */
function proxies(config: Config): Proxies {
  const environment = proxiesOf(process.env)
  const file = config.get('proxies', {} as Readonly<Record<string, string>>)
  return {
    http: config.get('http-proxy', file['http-proxy'] ?? environment.http),
    https: config.get('https-proxy', file['https-proxy'] ?? environment.https),
    no: config.get('no-proxy', file['no-proxy'] ?? environment.no),
  }
}
