import { messageOf } from '@berth/base'
import { formatPlatform, hostPlatform, normalizePlatform, type Platform } from '@berth/oci'
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { probePrograms, type ProbeProgram } from './probe-programs.ts'

/** What was found out is found out anew after this. */
const rememberMs = 30_000
/** So long after a question that shows it: whoever asks has a build under way, which starting programs would hold up. */
const laterMs = 2000
const registrations = '/proc/sys/fs/binfmt_misc'
const runTimeoutMs = 5000

/**
 * What programs can run here: this host's own first, then those that its kernel, or an interpreter that is registered with
 * it (binfmt_misc), runs too. Found out by running a program of each, in `directory`.
 */
export class RunnablePlatforms {
  readonly #directory: string
  readonly #rememberMs: number
  #later: NodeJS.Timeout | undefined
  #known:
    | { readonly platforms: Promise<readonly Platform[]>; readonly names: string; readonly atMs: number }
    | undefined

  constructor(directory: string, options: { readonly rememberMs?: number } = {}) {
    this.#directory = directory
    this.#rememberMs = options.rememberMs ?? rememberMs
  }

  async get(): Promise<readonly Platform[]> {
    const names = registeredNames()
    const known = this.#known
    if (known?.names !== names) return await this.#ask(names)
    // Where the registrations cannot be seen, the answer to the next question is the one of today.
    if (performance.now() - known.atMs > this.#rememberMs) this.#askLater()
    return await known.platforms
  }

  #askLater(): void {
    if (this.#later) return
    this.#later = setTimeout(() => {
      this.#later = undefined
      const names = registeredNames()
      // On a disk that is full the last answer stays.
      void this.#find().then((found) => this.#remember(Promise.resolve(found), names), messageOf)
    }, laterMs).unref()
  }

  #ask(names: string): Promise<readonly Platform[]> {
    return this.#remember(this.#find(), names)
  }

  #remember(platforms: Promise<readonly Platform[]>, names: string): Promise<readonly Platform[]> {
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
