import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerId, Logger, NetworkId } from '@berth/base'
import { removeFile } from '@berth/linux'
import type { PublishedPort } from '../firewall/rules.ts'
import type { Endpoint } from '../model.ts'
import type { Attachment, AttachRequest } from '../networks.ts'
import { toPortMap } from '../ports/plan-ports.ts'

/** A container's place in the networks, as it stands on disk while it lives. */
export interface SandboxState {
  readonly containerId: ContainerId
  readonly name: string
  readonly attachment: Attachment
  /** The namespace pinned for this container; undefined where it has none of its own. */
  readonly pin: string | undefined
  /** The container whose namespace and files are shared. */
  readonly sharedWith: ContainerId | undefined
  /** In the order of their interfaces. */
  readonly endpoints: readonly Endpoint[]
  readonly ports: readonly PublishedPort[]
  /** What was asked for at the start. */
  readonly request: AttachRequest
}

type Membership = Pick<SandboxState, 'endpoints' | 'ports'>

export const withMembership = (state: SandboxState, held: Membership): SandboxState => ({
  ...state,
  ...held,
  attachment: { ...state.attachment, ...shownOf(held) },
})

/** What others see of a container's endpoints. */
function shownOf({ endpoints, ports }: Membership): Pick<Attachment, 'endpoints' | 'ports' | 'interfaces'> {
  return {
    endpoints: Object.fromEntries(endpoints.map(({ networkName, settings }) => [networkName, settings])),
    ports: toPortMap(ports),
    interfaces: endpoints.flatMap(({ link }) => link ?? []),
  }
}

export interface Member {
  readonly state: SandboxState
  readonly endpoint: Endpoint
}

interface StateFile {
  readonly bootId: string
  readonly state: SandboxState
}

/**
 * The sandboxes of this boot, in memory and under the run root: written before anything comes to be that outlives this
 * process, removed after everything was given back, so that a killed engine's successor knows what there may be. No fsync: after a crash
 * of the machine nothing of it exists.
 */
export class SandboxStates {
  readonly #directory: string
  readonly #bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  readonly #states = new Map<ContainerId, SandboxState>()
  readonly #leaving = new Set<ContainerId>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Reads what earlier processes left; what is of another boot, or unreadable, is dropped. */
  load(logger: Logger): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(this.#directory)) {
      const path = join(this.#directory, name)
      const state = this.#read(path, logger)
      if (state && name === `${state.containerId}.json`) this.#states.set(state.containerId, state)
      else rmSync(path, { force: true })
    }
  }

  get(id: ContainerId): SandboxState | undefined {
    return this.#states.get(id)
  }

  /** What a container has is being given back, until this is disposed: nothing is to be added to it. */
  leave(id: ContainerId): Disposable {
    this.#leaving.add(id)
    return { [Symbol.dispose]: () => void this.#leaving.delete(id) }
  }

  /** What `get` finds, unless it is being given back. */
  staying(id: ContainerId): SandboxState | undefined {
    return this.#leaving.has(id) ? undefined : this.#states.get(id)
  }

  all(): SandboxState[] {
    return [...this.#states.values()]
  }

  /** Who is in a network. */
  endpointsIn(networkId: NetworkId): Member[] {
    return this.all().flatMap((state) =>
      state.endpoints.filter((endpoint) => endpoint.networkId === networkId).map((endpoint) => ({ state, endpoint })),
    )
  }

  put(state: SandboxState): void {
    const path = join(this.#directory, `${state.containerId}.json`)
    const file: StateFile = { bootId: this.#bootId, state }
    writeFileSync(`${path}.new`, JSON.stringify(file), { mode: 0o600 })
    renameSync(`${path}.new`, path)
    this.#states.set(state.containerId, state)
  }

  remove(id: ContainerId): void {
    removeFile(join(this.#directory, `${id}.json`))
    this.#states.delete(id)
  }

  #read(path: string, logger: Logger): SandboxState | undefined {
    try {
      const { bootId, state } = JSON.parse(readFileSync(path, 'utf8')) as StateFile
      if (!Array.isArray(state.endpoints)) throw new Error('it is of another release')
      return bootId === this.#bootId ? state : undefined
    } catch (error) {
      logger.warn({ path, error }, 'dropping an unreadable sandbox state')
      return undefined
    }
  }
}
