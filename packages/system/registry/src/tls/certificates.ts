import { codeOf, invalid } from '@berth/base'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { SecureContextOptions } from 'node:tls'

/** What is trusted and shown where a host has a directory of its own. */
export type HostCertificates = Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>

/**
 * Reads `<directory>/<host[:port]>`: `*.crt` are further authorities, `x.cert` with `x.key` is ours. Throws `invalid`
 * for half of a pair, in Docker's words.
 */
export async function readCertificates(directories: readonly string[], domain: string): Promise<HostCertificates> {
  for (const parent of directories) {
    const found = await readHostDirectory(join(parent, safeName(domain)))
    if (found) return found
  }
  return {}
}

/** Differs when what `readCertificates()` reads has been changed. */
export async function certificatesStamp(directories: readonly string[], domain: string): Promise<string> {
  for (const parent of directories) {
    const directory = join(parent, safeName(domain))
    const names = await list(directory)
    if (!names) continue
    const files = await Promise.all(names.map(async (name) => `${name}:${(await stat(join(directory, name))).mtimeMs}`))
    return `${directory} ${files.join(' ')}`
  }
  return ''
}

/** A domain was parsed and has no slash; what becomes a path is checked where it does. */
function safeName(domain: string): string {
  if (domain.includes('/') || domain.startsWith('.')) throw new Error(`not a domain: ${JSON.stringify(domain)}`)
  return domain
}

async function readHostDirectory(directory: string): Promise<HostCertificates | undefined> {
  const names = await list(directory)
  if (!names) return undefined
  const read = (name: string) => readFile(join(directory, name), 'utf8')
  const ca = await Promise.all(names.filter((name) => name.endsWith('.crt')).map(read))
  const certificate = names.find((name) => name.endsWith('.cert'))
  requirePairs(directory, names)
  const pair = certificate && { cert: await read(certificate), key: await read(certificate.replace(/cert$/, 'key')) }
  return { ...(ca.length > 0 && { ca: [...(await systemAuthorities()), ...ca] }), ...pair }
}

async function list(directory: string): Promise<string[] | undefined> {
  try {
    return (await readdir(directory)).toSorted()
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

function requirePairs(directory: string, names: readonly string[]): void {
  for (const name of names) {
    const key = name.replace(/cert$/, 'key')
    const certificate = name.replace(/key$/, 'cert')
    if (name.endsWith('.cert') && !names.includes(key)) {
      throw invalid(
        `${directory}: missing key ${key} for client certificate ${name}. CA certificates must use the extension .crt`,
      )
    }
    if (name.endsWith('.key') && !names.includes(certificate)) {
      throw invalid(`${directory}: missing client certificate ${certificate} for key ${name}`)
    }
  }
}

/** Where distributions keep their authorities, as Go looks for them (crypto/x509/root_linux.go). */
const authorityFiles: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

let authorities: Promise<readonly string[]> | undefined

/** The authorities that this machine trusts; Node's own where it names none. Read once. */
export function systemAuthorities(): Promise<readonly string[]> {
  authorities ??= loadAuthorities()
  return authorities
}

async function loadAuthorities(): Promise<readonly string[]> {
  for (const path of [process.env['SSL_CERT_FILE'] ?? '', ...authorityFiles]) {
    const text = path === '' ? undefined : await readFile(path, 'utf8').catch(() => undefined)
    if (text) return [text]
  }
  const { rootCertificates } = await import('node:tls')
  return rootCertificates
}
