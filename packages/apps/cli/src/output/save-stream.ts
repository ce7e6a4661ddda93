import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from '@berth/base'
import type { EngineResponse } from '@berth/engine-client'
import type { Cli } from '../cli.ts'
import { StatusError } from '../errors.ts'

export interface StreamToSave {
  /** Empty: standard output. */
  readonly path: string
  /** What is being done, for messages: `save image`. */
  readonly what: string
  readonly open: () => Promise<EngineResponse>
}

/** Writes a stream to a file, which appears only when it is complete, or to standard output. */
export async function saveStream(cli: Cli, { path, what, open: request }: StreamToSave): Promise<void> {
  if (path === '') {
    if (cli.isTerminal(1)) throw new Error('cowardly refusing to save to a terminal. Use the -o flag or redirect')
    for await (const chunk of (await request()).body) cli.out(chunk)
    return
  }
  await refuseTarget(path, what)
  await saveToFile(path, await request())
}

async function refuseTarget(path: string, what: string): Promise<void> {
  const parent = await stat(dirname(path)).catch(() => undefined)
  if (parent === undefined) {
    throw new StatusError(1, `failed to ${what}: invalid output path: stat ${dirname(path)}: no such file or directory`)
  }
  const target = await stat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (target?.isDirectory() === true) throw new StatusError(1, `failed to ${what}: cannot write to a directory`)
}

async function saveToFile(path: string, { body }: EngineResponse): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  const file = await open(temporary, 'wx', 0o600)
  try {
    for await (const chunk of body) await file.writeFile(chunk)
    await file.close()
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
