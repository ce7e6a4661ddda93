import { readFileSync, statSync } from 'node:fs'
import { defaultFileNames, type SourceFile } from '@berth/bake'
import { reasonOf } from '../options/key-values.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** A file of definitions, and where it was read from, for the one line that tells of it. */
export interface BakeFile extends SourceFile {
  readonly bytes: number
}

/** The files that `-f` names, or BUILDX_BAKE_FILE, or that are there by their usual names. `-` is standard input. */
export function readBakeFiles(named: readonly string[], env: Environment): BakeFile[] {
  const names = named.length > 0 ? named : namesFrom(env)
  const wanted = names.length > 0 ? names.map((name) => name.replace(/^cwd:\/\//, '')) : defaultFileNames.filter(exists)
  // Nothing is no definition.
  const files = wanted.map(readOne).filter(({ bytes }) => bytes > 0)
  if (files.length === 0) throw new Error("couldn't find a bake definition")
  return files
}

function namesFrom(env: Environment): string[] {
  const names = (env['BUILDX_BAKE_FILE'] ?? '').split(env['BUILDX_BAKE_PATH_SEPARATOR'] || ':')
  return names.map((name) => name.trim()).filter((name) => name !== '')
}

function exists(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false }) !== undefined
}

const greatestBytes = 16 * 1024 * 1024

function readOne(name: string): BakeFile {
  const content = name === '-' ? readFileSync(0) : readRegular(name)
  if (content.length > greatestBytes) throw new Error(`${name}: a bake definition has at most 16 MiB`)
  return { name, text: content.toString('utf8').replace(/^\uFEFF/, ''), bytes: content.length }
}

function readRegular(name: string): Buffer {
  try {
    return readFileSync(name)
  } catch (error) {
    const call = (error as NodeJS.ErrnoException).code === 'EISDIR' ? 'read' : 'open'
    throw new Error(`${call} ${name}: ${reasonOf(error)}`, { cause: error })
  }
}
