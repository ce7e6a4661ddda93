import { formatPlatform, hostPlatform, normalizePlatform, type Platform } from '@berth/oci'
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { probePrograms, type ProbeProgram } from './probe-programs.ts'

/** What was found out is found out anew after this, beside whoever asks. */
const rememberMs = 30_000
const registrations = '/proc/sys/fs/binfmt_misc'
const runTimeoutMs = 5000

/**
 * What programs can run here: this host's own first, then those that its kernel, or an interpreter that is registered with
 * it (binfmt_misc), runs too. Found out by running a program of each, in `directory`.
 */
export class RunnablePlatforms {
  readonly #directory: string
  #known:
    | { readonly platforms: Promise<readonly Platform[]>; readonly names: string; readonly atMs: number }
    | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  async get(): Promise<readonly Platform[]> {
    const names = registeredNames()
    const known = this.#known
    if (known?.names !== names) return await this.#ask(names)
    // Where the registrations cannot be seen, the answer to the next question is the one of today.
    if (performance.now() - known.atMs > rememberMs) void this.#ask(names)
    return await known.platforms
  }

  #ask(names: string): Promise<readonly Platform[]> {
    const platforms = this.#find()
    this.#known = { platforms, names, atMs: performance.now() }
    return platforms
  }

  async #find(): Promise<readonly Platform[]> {
    const own = normalizePlatform(hostPlatform())
    const others = probePrograms().filter(({ platform }) => formatPlatform(platform) !== formatPlatform(own))
    const directory = await mkdtemp(join(this.#directory, 'probe-'))
    try {
      const runnable = await Promise.all(others.map((program) => runs(program, directory)))
      return [own, ...others.filter((_, i) => runnable[i]).map(({ platform }) => platform)]
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }
}

async function runs({ platform, bytes }: ProbeProgram, directory: string): Promise<boolean> {
  const path = join(directory, platform.architecture)
  try {
    await writeFile(path, bytes, { mode: 0o700 })
    return await new Promise<boolean>((resolve) => {
      execFile(path, [], { env: {}, timeout: runTimeoutMs }, (error) => resolve(error === null))
    })
  } catch {
    // Neither a disk that is full nor a file system without programs runs any.
    return false
  }
}

/** Interpreters that the kernel knows, where that is mounted: '' elsewhere. */
function registeredNames(): string {
  try {
    return readdirSync(registrations).join(' ')
  } catch {
    return ''
  }
}
