import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { command } from './command.ts'
import type { Sandbox } from './sandbox.ts'

const berth = fileURLToPath(new URL('../../bin/berth', import.meta.url))

export interface BerthRegistryOptions {
  /** 0: any that is free. */
  readonly port?: number
  /** Further arguments of `berth registry serve`. */
  readonly args?: readonly string[]
  /** The same, of the folder that holds everything. */
  readonly argsIn?: (folder: string) => readonly string[]
  /** User to password: nobody else is let in. */
  readonly users?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
}

/** `berth registry serve` on 127.0.0.1, of a sandbox or of the host. */
export interface BerthRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  readonly folder: string
  readonly pid: number
  log(): string
  /** Ends it and waits for its end; what it says by its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  /** Starts it again, on the same port. */
  start(env?: Readonly<Record<string, string>>): Promise<void>
  /** Resolves when it ends by itself. */
  ended(): Promise<void>
}

/** Where a registry runs that the test's own process talks to: beside it. */
export const besideTheTest: Pick<Sandbox, 'enter'> = {
  enter: ([file = '', ...args]) => ({ file, args, env: process.env }),
}

/** A port that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export async function startBerthRegistry(
  sandbox: Pick<Sandbox, 'enter'> = besideTheTest,
  options: BerthRegistryOptions = {},
): Promise<BerthRegistry> {
  const registry = new Program(sandbox, options)
  try {
    if (options.users) await registry.writePasswords(options.users)
    await registry.start()
  } catch (error) {
    await registry[Symbol.asyncDispose]()
    throw error
  }
  return registry
}

class Program implements BerthRegistry {
  readonly folder = mkdtempSync(join(tmpdir(), 'berth-registry-'))
  readonly #sandbox: Pick<Sandbox, 'enter'>
  readonly #options: BerthRegistryOptions
  #port: number
  #process: ChildProcess | undefined
  #log = ''

  constructor(sandbox: Pick<Sandbox, 'enter'>, options: BerthRegistryOptions) {
    this.#sandbox = sandbox
    this.#options = options
    this.#port = options.port ?? 0
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  log(): string {
    return this.#log
  }

  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const { args = [], argsIn, users } = this.#options
    const passwords = users ? ['--htpasswd', this.#passwords] : []
    const own = ['registry', 'serve', '--addr', this.host, '--root', join(this.folder, 'data'), ...passwords]
    const entered = this.#sandbox.enter([berth, ...own, ...args, ...(argsIn?.(this.folder) ?? [])])
    const child = spawn(entered.file, entered.args, {
      env: { ...entered.env, ...this.#options.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#process = child
    await this.#serving(child)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#process
    this.#process = undefined
    if (!child) return null
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      await once(child, 'exit')
    }
    return child.exitCode
  }

  async ended(): Promise<void> {
    const child = this.#process
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    this.#process = undefined
  }

  async writePasswords(users: Readonly<Record<string, string>>): Promise<void> {
    const lines = await Promise.all(
      Object.entries(users).map(async ([user, password]) => {
        const { code, stdout, stderr } = await command('htpasswd', ['-Bbn', user, password])
        if (code !== 0) throw new Error(`htpasswd: ${stderr}`)
        return stdout.trim()
      }),
    )
    writeFileSync(this.#passwords, `${lines.join('\n')}\n`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }

  get #passwords(): string {
    return join(this.folder, 'htpasswd')
  }

  async #serving(child: ChildProcess): Promise<void> {
    const from = this.#log.length
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#log += chunk.toString()
      const port = /msg="the registry serves" .*?port=(\d+)/.exec(this.#log.slice(from))?.[1]
      if (port === undefined) return
      this.#port = Number(port)
      resolve()
    })
    child.once('exit', () => reject(new Error(`the registry ended:\n${this.#log.slice(-2000)}`)))
    await promise
  }
}
