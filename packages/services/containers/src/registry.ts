import { conflict, type ContainerId, invalid, notFound } from '@berth/base'
import type { Container, ContainerState } from './container.ts'
import type { ContainerStore } from './store.ts'

/** The mutable parts that a transition may set. */
export type Transition = Partial<ContainerState> & {
  readonly restartCount?: number
  readonly endpoints?: Container['endpoints']
  readonly stoppedByUser?: boolean
  readonly hasBeenStarted?: boolean
}

/** How soon a state that could not be written is tried again. */
const retryMs = 1000

/**
 * All containers in memory, written through to the store. Holds no lock: callers
 * change a container only under its lock.
 */
export class Registry implements Disposable {
  readonly #store: ContainerStore
  readonly #reportUnsaved: (id: ContainerId, error: unknown) => void
  readonly #unsaved = new Set<ContainerId>()
  #retry: NodeJS.Timeout | undefined
  readonly #byId = new Map<ContainerId, Container>()
  readonly #idByName = new Map<string, ContainerId>()
  /** Names promised to a create or rename under way. */
  readonly #reserved = new Map<string, ContainerId>()

  /** `reportUnsaved` hears of a state that could not be written, once until it is. */
  constructor(
    store: ContainerStore,
    loaded: readonly Container[],
    reportUnsaved: (id: ContainerId, error: unknown) => void = () => {},
  ) {
    this.#store = store
    this.#reportUnsaved = reportUnsaved
    for (const container of loaded) this.#remember(container)
  }

  /** Oldest first. */
  all(): Container[] {
    return [...this.#byId.values()]
  }

  byId(id: ContainerId): Container | undefined {
    return this.#byId.get(id)
  }

  /** Full id beats name beats id prefix. Throws `notFound`, or `invalid` for an ambiguous prefix. */
  resolve(ref: string): Container {
    const whole = this.#byId.get(ref as ContainerId) ?? this.byName(ref)
    if (whole) return whole
    const matches = /^[0-9a-f]{1,63}$/.test(ref) ? this.all().filter(({ id }) => id.startsWith(ref)) : []
    if (matches.length > 1) throw invalid(`multiple IDs found with provided prefix: ${ref}`)
    if (!matches[0]) throw notFound(`No such container: ${ref}`)
    return matches[0]
  }

  byName(name: string): Container | undefined {
    const id = this.#idByName.get(name.replace(/^\//, ''))
    return id && this.#byId.get(id)
  }

  /** Promises `name` to `id` until the returned is disposed; `conflict` when another has it. */
  reserveName(name: string, id: ContainerId): Disposable {
    const owner = this.#idByName.get(name) ?? this.#reserved.get(name)
    if (owner !== undefined) {
      throw conflict(
        `Conflict. The container name "/${name}" is already in use by container "${owner}". ` +
          'You have to remove (or rename) that container to be able to reuse that name.',
      )
    }
    this.#reserved.set(name, id)
    return { [Symbol.dispose]: () => void this.#reserved.delete(name) }
  }

  isNameFree(name: string): boolean {
    return !this.#idByName.has(name) && !this.#reserved.has(name)
  }

  /** `commit` does the write, with others in one transaction. */
  insert(container: Container, commit: (write: () => void) => void = (write) => write()): void {
    commit(() => this.#store.insert(container))
    this.#remember(container)
  }

  /**
   * Applies a state transition and returns the new container. What has happened holds also when the disk is full: it is
   * written once it can be.
   */
  transition(id: ContainerId, change: Transition): Container {
    const { restartCount, endpoints, stoppedByUser, hasBeenStarted, ...state } = change
    const old = this.#require(id)
    const next: Container = {
      ...old,
      state: { ...old.state, ...state },
      restartCount: restartCount ?? old.restartCount,
      endpoints: endpoints ?? old.endpoints,
      stoppedByUser: stoppedByUser ?? old.stoppedByUser,
      hasBeenStarted: hasBeenStarted ?? old.hasBeenStarted,
    }
    this.#byId.set(id, next)
    this.#save(next)
    return next
  }

  /** Replaces name, host configuration or other parts of the definition. */
  redefine(
    id: ContainerId,
    change: Partial<Pick<Container, 'name' | 'config' | 'hostConfig' | 'requestedEndpoints'>>,
  ): Container {
    const old = this.#require(id)
    const next = { ...old, ...change }
    this.#store.saveDefinition(next)
    this.#idByName.delete(old.name)
    this.#remember(next)
    return next
  }

  setExecs(id: ContainerId, execIds: Container['execIds']): void {
    const old = this.#byId.get(id)
    if (old) this.#byId.set(id, { ...old, execIds })
  }

  /** Health changes often and may be lost with the process: kept in memory only. */
  setHealth(id: ContainerId, health: ContainerState['health']): Container {
    const old = this.#require(id)
    const next = { ...old, state: { ...old.state, health } }
    this.#byId.set(id, next)
    return next
  }

  remove(id: ContainerId): void {
    this.#store.remove(id)
    const container = this.#byId.get(id)
    this.#byId.delete(id)
    if (container) this.#idByName.delete(container.name)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#retry)
    this.#saveAgain()
    clearTimeout(this.#retry)
  }

  #save(container: Container): void {
    try {
      this.#store.saveState(container)
      this.#unsaved.delete(container.id)
    } catch (error) {
      if (!this.#unsaved.has(container.id)) this.#reportUnsaved(container.id, error)
      this.#unsaved.add(container.id)
      this.#retry ??= setTimeout(() => this.#saveAgain(), retryMs).unref()
    }
  }

  #saveAgain(): void {
    this.#retry = undefined
    for (const id of this.#unsaved) {
      const container = this.#byId.get(id)
      if (container) this.#save(container)
      else this.#unsaved.delete(id)
    }
  }

  #remember(container: Container): void {
    this.#byId.set(container.id, container)
    this.#idByName.set(container.name, container.id)
  }

  #require(id: ContainerId): Container {
    const container = this.#byId.get(id)
    if (!container) throw notFound(`No such container: ${id}`)
    return container
  }
}
