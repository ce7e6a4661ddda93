import { codeOf } from '@berth/base'
import type { AuthConfig } from '@berth/engine-api'
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** Where the sealed credentials are, and the key to them. */
export interface SealedFiles {
  /** Beside config.json. */
  readonly sealed: string
  /** In another folder: who copies or mounts the configuration alone has nothing. */
  readonly key: string
}

export function sealedFiles(directory: string, env: Environment): SealedFiles {
  const home = env['HOME'] ?? ''
  const data = env['XDG_DATA_HOME'] || (home === '' ? directory : join(home, '.local/share'))
  return { sealed: join(directory, 'berth-credentials.json'), key: join(data, 'berth', 'credentials.key') }
}

interface Sealed {
  readonly nonce: string
  readonly text: string
  readonly tag: string
}

type Document = Readonly<Record<string, Sealed>>

/** The credentials of a server, decrypted; undefined without any. Throws when they are there and cannot be read. */
export function unseal(files: SealedFiles, server: string): AuthConfig | undefined {
  const document = readDocument(files.sealed)
  const entry = Object.hasOwn(document, server) ? document[server] : undefined
  if (entry === undefined) return undefined
  try {
    return JSON.parse(decrypt(readKey(files.key), server, entry)) as AuthConfig
  } catch (error) {
    throw new Error(`the credentials of ${server} cannot be decrypted: log in again (key: ${files.key})`, {
      cause: error,
    })
  }
}

export function seal(files: SealedFiles, server: string, auth: AuthConfig): void {
  const entry = encrypt(readOrMakeKey(files.key), server, JSON.stringify(auth))
  writePrivate(files.sealed, JSON.stringify({ ...readDocument(files.sealed), [server]: entry }, undefined, '\t'))
}

/** False when there were none. */
export function dropSealed(files: SealedFiles, server: string): boolean {
  const document = readDocument(files.sealed)
  if (!Object.hasOwn(document, server)) return false
  const kept = Object.fromEntries(Object.entries(document).filter(([key]) => key !== server))
  writePrivate(files.sealed, JSON.stringify(kept, undefined, '\t'))
  return true
}

export const sealedServers = (files: SealedFiles): string[] => Object.keys(readDocument(files.sealed))

const algorithm = 'aes-256-gcm'
const keyBytes = 32

/** The server is sealed in as well: an entry moved to another server's name does not open. */
function encrypt(key: Buffer, server: string, text: string): Sealed {
  const nonce = randomBytes(12)
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(server))
  const sealed = Buffer.concat([cipher.update(text), cipher.final()])
  return {
    nonce: nonce.toString('base64'),
    text: sealed.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
  }
}

function decrypt(key: Buffer, server: string, { nonce, text, tag }: Sealed): string {
  const decipher = createDecipheriv(algorithm, key, Buffer.from(nonce, 'base64'), { authTagLength: 16 })
  decipher.setAAD(Buffer.from(server)).setAuthTag(Buffer.from(tag, 'base64'))
  return Buffer.concat([decipher.update(Buffer.from(text, 'base64')), decipher.final()]).toString()
}

function readKey(path: string): Buffer {
  const key = Buffer.from(readFileSync(path, 'utf8'), 'base64')
  if (key.length !== keyBytes) throw new Error(`${path} is no key`)
  return key
}

function readOrMakeKey(path: string): Buffer {
  try {
    return readKey(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    writeFileSync(path, `${randomBytes(keyBytes).toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    // Another login has made it meanwhile.
    if (codeOf(error) !== 'EEXIST') throw error
  }
  return readKey(path)
}

function readDocument(path: string): Document {
  try {
    const document: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof document === 'object' && document !== null ? (document as Document) : {}
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {}
    throw error
  }
}

function writePrivate(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, text, { mode: 0o600 })
  renameSync(temporary, path)
}
