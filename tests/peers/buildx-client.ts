import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  command,
  type CommandOptions,
  type CommandResult,
  loadFixture,
  startDaemon,
  type TestDaemon,
} from '@berth/testing'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** A DOCKER_CONFIG folder with the real buildx and compose as plugins; `bin/docker` in it is the CLI that goes with them. */
const plugins = (): string =>
  process.env['BERTH_DOCKER_PLUGINS'] ??
  execFileSync(join(repository, 'tools/docker-plugins'), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim()

/** The real docker CLI with its plugins, in a folder of its own, against a daemon. */
export class BuildxClient implements Disposable {
  readonly folder: string
  readonly docker: string
  readonly #daemon: Pick<TestDaemon, 'host'>
  readonly #config: string

  constructor(daemon: Pick<TestDaemon, 'host'>) {
    const source = plugins()
    this.#daemon = daemon
    this.folder = mkdtempSync(join(tmpdir(), 'berth-buildx-'))
    this.#config = join(this.folder, 'config')
    mkdirSync(this.#config)
    // What a client writes about its builders stays with it.
    execFileSync('ln', ['-s', join(source, 'cli-plugins'), join(this.#config, 'cli-plugins')])
    this.docker = join(source, 'bin/docker')
  }

  get env(): Record<string, string> {
    return { DOCKER_HOST: this.#daemon.host, DOCKER_CONFIG: this.#config, BUILDX_NO_DEFAULT_ATTESTATIONS: 'false' }
  }

  /** A new folder with files in it. */
  context(files: Readonly<Record<string, string>>): string {
    const folder = mkdtempSync(join(this.folder, 'context-'))
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    return folder
  }

  /** Runs `docker ARGS` in `cwd`. */
  run(cwd: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return command(this.docker, args, { ...options, cwd, env: { ...this.env, ...options.env } })
  }

  /** The same; throws when it fails. Progress goes to stderr. */
  async ok(cwd: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const result = await this.run(cwd, args, options)
    if (result.code !== 0) throw new Error(`docker ${args.join(' ')}: ${result.code}\n${result.stdout}${result.stderr}`)
    return result
  }

  /** What a container of an image prints. */
  async output(image: string, ...args: string[]): Promise<string> {
    return (await this.ok(this.folder, ['run', '--rm', '--network', 'none', image, ...args])).stdout
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}

/** A daemon that has busybox, and a client of it, until the tests of the file are over. */
export async function startBuildx(
  options: Parameters<typeof startDaemon>[0] = {},
): Promise<{ readonly daemon: TestDaemon; readonly client: BuildxClient }> {
  const daemon = await startDaemon(options)
  const client = new BuildxClient(daemon)
  after(async () => {
    client[Symbol.dispose]()
    await daemon[Symbol.asyncDispose]()
  })
  await loadFixture(daemon.api, 'busybox')
  return { daemon, client }
}
