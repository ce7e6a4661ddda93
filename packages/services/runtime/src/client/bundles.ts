import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, conflict, type ContainerId, type EngineError, type ExecId } from '@berth/base'
import { type Cgroups, removeCgroup, thawCgroup } from '@berth/linux'
import type { RuntimeSpec } from '@berth/oci'
import { killCgroup } from '../crun/kill-cgroup.ts'

/** What a container has on disk and in the cgroup trees while the supervisor knows it, under one run root. */
export class Bundles {
  readonly ociRoot: string
  readonly #root: string
  readonly #cgroups: Cgroups
  readonly #cgroupsPaths = new Map<ContainerId, string | undefined>()

  constructor(runRoot: string, cgroups: Cgroups) {
    this.ociRoot = join(runRoot, 'oci')
    this.#root = join(runRoot, 'bundles')
    this.#cgroups = cgroups
    for (const directory of [this.ociRoot, this.#root]) mkdirSync(directory, { recursive: true, mode: 0o700 })
  }

  path(containerId: ContainerId): string {
    return join(this.#root, containerId)
  }

  /** Where the OCI runtime keeps what it knows of the container. */
  statePath(containerId: ContainerId): string {
    return join(this.ociRoot, containerId)
  }

  /** Makes the bundle directory with its config.json and the OCI runtime's name; returns its path. `conflict` if it is there. */
  write(containerId: ContainerId, spec: RuntimeSpec, runtimeName: string): string {
    const path = this.path(containerId)
    makeBundle(path, containerId)
    writeFileSync(join(path, 'config.json'), JSON.stringify(spec), { mode: 0o600 })
    writeFileSync(join(path, 'runtime'), runtimeName, { mode: 0o600 })
    this.#cgroupsPaths.set(containerId, spec.linux.cgroupsPath)
    return path
  }

  /** The name of the OCI runtime that the container was started with; `conflict` when it is not running. */
  runtimeName(containerId: ContainerId): string {
    try {
      return readFileSync(join(this.path(containerId), 'runtime'), 'utf8')
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw notRunning(containerId, error)
      throw error
    }
  }

  writeProcess(containerId: ContainerId, execId: ExecId, process: string): void {
    const file = join(this.path(containerId), `exec-${execId}.json`)
    try {
      writeFileSync(file, process, { mode: 0o600 })
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw notRunning(containerId, error)
      throw error
    }
  }

  /** The container's cgroup, from its config.json if need be; undefined when it has none. */
  cgroupsPath(containerId: ContainerId): string | undefined {
    if (!this.#cgroupsPaths.has(containerId)) {
      this.#cgroupsPaths.set(containerId, readCgroupsPath(join(this.path(containerId), 'config.json')))
    }
    return this.#cgroupsPaths.get(containerId)
  }

  /** Removes everything of an ended container; the bundle last, from which a broken-off removal goes on. */
  async remove(containerId: ContainerId): Promise<void> {
    const cgroupsPath = this.cgroupsPath(containerId)
    if (cgroupsPath !== undefined) await this.#removeCgroup(containerId, cgroupsPath)
    rmSync(this.statePath(containerId), { recursive: true, force: true })
    rmSync(this.path(containerId), { recursive: true, force: true })
    this.#cgroupsPaths.delete(containerId)
  }

  /** Ends and removes every container that is not among `known`: what a dead supervisor left. Returns their ids. */
  async sweep(known: ReadonlySet<ContainerId>): Promise<ContainerId[]> {
    const names = new Set([this.#root, this.ociRoot].flatMap((directory) => readdirSync(directory)))
    const strays = [...names].filter((name) => isContainerId(name) && !known.has(name))
    for (const containerId of strays as ContainerId[]) {
      await this.#killAll(containerId)
      await this.remove(containerId)
    }
    return strays as ContainerId[]
  }

  /** An exec's runtime that entered the cgroup while it was frozen cannot end by itself, however dead the container is. */
  async #removeCgroup(containerId: ContainerId, cgroupsPath: string): Promise<void> {
    try {
      await removeCgroup(this.#cgroups, cgroupsPath)
    } catch (error) {
      if (codeOf(error) !== 'EBUSY') throw error
      await this.#killAll(containerId)
      await removeCgroup(this.#cgroups, cgroupsPath)
    }
  }

  async #killAll(containerId: ContainerId): Promise<void> {
    const cgroupsPath = this.cgroupsPath(containerId)
    if (cgroupsPath === undefined) return
    await thawCgroup(this.#cgroups, cgroupsPath).catch(() => {})
    await killCgroup(this.#cgroups, cgroupsPath)
  }
}

function makeBundle(path: string, containerId: ContainerId): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw conflict(`container ${containerId} has been started and not released`, error)
    throw error
  }
}

const notRunning = (containerId: ContainerId, cause: unknown): EngineError =>
  conflict(`container ${containerId} is not running`, cause)

function isContainerId(name: string): name is ContainerId {
  return /^[0-9a-f]{64}$/.test(name)
}

function readCgroupsPath(file: string): string | undefined {
  try {
    const spec = JSON.parse(readFileSync(file, 'utf8')) as { linux?: { cgroupsPath?: unknown } } | null
    const path = spec?.linux?.cgroupsPath
    return typeof path === 'string' ? path : undefined
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}
