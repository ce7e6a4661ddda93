import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '@berth/base'

/** A named engine, in the files that docker keeps: `contexts/meta/<digest>/meta.json`, `contexts/tls/<digest>/docker/*.pem`. */
export interface Context {
  readonly Name: string
  readonly Metadata: { readonly Description?: string; readonly [field: string]: unknown }
  readonly Endpoints: {
    readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean }
    readonly [endpoint: string]: unknown
  }
}

/** PEM texts by file name: `ca.pem`, `cert.pem`, `key.pem`. */
export type TlsFiles = Readonly<Record<string, string>>

export const defaultContextName = 'default'

const endpointName = 'docker'

export interface ContextPaths {
  readonly metadata: string
  readonly tls: string
}

export function contextPaths(configDirectory: string, name: string): ContextPaths {
  // Not imported: hashing is needed by no command that names no context.
  const digest = process.getBuiltinModule('node:crypto').createHash('sha256').update(name).digest('hex')
  return {
    metadata: join(configDirectory, 'contexts', 'meta', digest),
    tls: join(configDirectory, 'contexts', 'tls', digest),
  }
}

/** Throws an Error in docker's words if there is none or its file is broken. */
export function readContext(configDirectory: string, name: string): Context {
  const path = join(contextPaths(configDirectory, name).metadata, 'meta.json')
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Context
  } catch (error) {
    if (codeOf(error) !== 'ENOENT')
      throw new Error(`context ${JSON.stringify(name)}: ${String(error)}`, { cause: error })
    const reason = `open ${path}: no such file or directory`
    throw new Error(`context ${JSON.stringify(name)}: context not found: ${reason}`, { cause: error })
  }
}

export function hasContext(configDirectory: string, name: string): boolean {
  return listContexts(configDirectory).some(({ Name }) => Name === name)
}

/** All but the default one, in no order. What is no context is passed over. */
export function listContexts(configDirectory: string): Context[] {
  const directory = join(configDirectory, 'contexts', 'meta')
  return namesIn(directory).flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(directory, name, 'meta.json'), 'utf8')) as Context]
    } catch {
      return []
    }
  })
}

/** The TLS files of the docker endpoint. */
export function readTlsFiles(configDirectory: string, name: string): TlsFiles {
  const directory = join(contextPaths(configDirectory, name).tls, endpointName)
  return Object.fromEntries(namesIn(directory).map((file) => [file, readFileSync(join(directory, file), 'utf8')]))
}

export function writeContext(configDirectory: string, context: Context): void {
  const { metadata } = contextPaths(configDirectory, context.Name)
  mkdirSync(metadata, { recursive: true })
  writeAside(join(metadata, 'meta.json'), JSON.stringify(context), 0o644)
}

/** Replaces the TLS files of the docker endpoint. */
export function writeTlsFiles(configDirectory: string, name: string, files: TlsFiles): void {
  const { tls } = contextPaths(configDirectory, name)
  rmSync(tls, { recursive: true, force: true })
  if (Object.keys(files).length === 0) return
  mkdirSync(join(tls, endpointName), { recursive: true, mode: 0o700 })
  for (const [file, text] of Object.entries(files)) writeAside(join(tls, endpointName, file), text, 0o600)
}

export function removeContext(configDirectory: string, name: string): void {
  const { metadata, tls } = contextPaths(configDirectory, name)
  rmSync(metadata, { recursive: true, force: true })
  rmSync(tls, { recursive: true, force: true })
}

function writeAside(path: string, text: string, mode: number): void {
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, text, { mode })
  renameSync(temporary, path)
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
