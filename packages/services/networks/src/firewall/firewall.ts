import { codeOf, type Logger, unavailable } from '@berth/base'
import { type forgetDatagrams, loadRuleset, type NftChange, NftElements, watchNft } from '@berth/linux'
import { setTimeout as delay } from 'node:timers/promises'
import { buildRuleset, removeRuleset, removeTable, type RulesetInput } from './build-ruleset.ts'
import {
  type Element,
  elementChanges,
  elementKey,
  type ElementText,
  elementText,
  guardElements,
  linkElements,
  portElements,
  tableName,
} from './elements.ts'
import { FlowForgetter } from './flow-forgetter.ts'
import type { GuardedLink, LinkedPort, NetworkRules, PublishedPort } from './rules.ts'

/** The engine's part of the host's firewall. Changes of single elements take effect within the call. */
export interface Firewall extends AsyncDisposable {
  /** Replaces the rules of all networks in one transaction; ports, guards and links stay. */
  setNetworks(networks: readonly NetworkRules[]): Promise<void>
  /** Sets what may come from a container's link; what it was allowed before is forgotten. */
  guard(link: GuardedLink): void
  unguard(hostLink: string): void
  /** Resolves when datagrams are led there as well that follow others of before. */
  publish(ports: readonly PublishedPort[]): Promise<void>
  /** Idempotent. Resolves when no datagram is led there any more. */
  unpublish(ports: readonly PublishedPort[]): Promise<void>
  link(ports: readonly LinkedPort[]): void
  unlink(ports: readonly LinkedPort[]): void
  /** `unpublish`, `unlink` and `unguard` for all that a container has, at once. */
  withdraw(held: HeldRules): Promise<void>
  /** Takes the tables away: when nothing needs them. */
  remove(): Promise<void>
}

/** What the firewall has for one container. */
export interface HeldRules {
  readonly ports: readonly PublishedPort[]
  readonly links: readonly LinkedPort[]
  readonly hostLinks: readonly string[]
}

export interface FirewallOptions {
  readonly logger: Logger
  readonly networks: readonly NetworkRules[]
  readonly guards: readonly GuardedLink[]
  readonly ports: readonly PublishedPort[]
  readonly links?: readonly LinkedPort[]
  readonly apiPorts?: readonly number[] | undefined
  readonly unmanaged?: readonly (4 | 6)[] | undefined
  /** Runs nft's scripts; default: nft. */
  readonly run?: typeof loadRuleset | undefined
  /** Makes the kernel forget flows. */
  readonly forget?: typeof forgetDatagrams | undefined
}

/** The firewall of a host whose rules are all somebody else's: does nothing, once what an earlier process left is gone. */
export async function openNoFirewall(): Promise<Firewall> {
  // Without the program there are no tables.
  await loadRuleset(removeRuleset).catch(() => {})
  const nothing = () => {}
  const done = async () => {}
  return {
    setNetworks: done,
    guard: nothing,
    unguard: nothing,
    publish: done,
    unpublish: done,
    link: nothing,
    unlink: nothing,
    withdraw: done,
    remove: done,
    [Symbol.asyncDispose]: done,
  }
}

/** Loads the tables, replacing those that an earlier process left, and restores them when somebody else changes them. */
export async function openFirewall(options: FirewallOptions): Promise<Firewall> {
  const firewall = new Tables(options)
  await firewall.load().catch((error: unknown) => firewall.loadWithoutFrames(error))
  firewall.watch()
  return firewall
}

/** More in one message would not fit into the socket's buffer, or a nested attribute's 64 KiB. */
const elementsPerBatch = 500
/** Between two restorations: who fights for the table shall not have the processor. */
const restoreIntervalMs = 100

interface Guard {
  readonly mac: string
  readonly elements: readonly Element[]
}

const withoutFrames = 'containers are not held to their own addresses on the bridge'

class Tables implements Firewall {
  readonly #logger: Logger
  readonly #fixed: Pick<RulesetInput, 'apiPorts' | 'unmanaged'>
  readonly #runScript: typeof loadRuleset
  readonly #flows: FlowForgetter
  #filtersFrames = true
  readonly #kernel = new NftElements(tableName)
  readonly #elements = new Map<string, ElementText>()
  readonly #guards = new Map<string, Guard>()
  readonly #ownPorts = new Set<number>([this.#kernel.portId])
  #networks: readonly NetworkRules[]
  #watch: Disposable | undefined
  #loading: Promise<void> = Promise.resolve()
  /** What changed while the tables were being loaded from a text that does not have it yet. */
  #meanwhile: NftChange[] | undefined
  #isDirty = false
  #isRestoring = false
  #isClosed = false

  constructor({
    logger,
    networks,
    guards,
    ports,
    links = [],
    apiPorts = [],
    unmanaged,
    run = loadRuleset,
    forget,
  }: FirewallOptions) {
    this.#logger = logger
    this.#networks = networks
    this.#fixed = { apiPorts, unmanaged }
    this.#runScript = run
    this.#flows = new FlowForgetter({ logger, forget })
    for (const guard of guards) this.#guards.set(guard.hostLink, { mac: guard.mac, elements: guardElements(guard) })
    const guarded = [...this.#guards.values()].map((guard) => guard.elements)
    const elements = [...guarded, ...ports.map(portElements), ...links.map(linkElements)].flat()
    for (const element of elements) this.#elements.set(elementKey(element), elementText(element))
  }

  setNetworks(networks: readonly NetworkRules[]): Promise<void> {
    const before = this.#networks
    this.#networks = networks
    return this.load().catch((error: unknown) => {
      if (this.#networks === networks) this.#networks = before
      throw error
    })
  }

  guard(link: GuardedLink): void {
    const before = this.#guards.get(link.hostLink)?.elements ?? []
    const guard = { mac: link.mac, elements: guardElements(link) }
    const kept = new Set(guard.elements.map(elementKey))
    this.#guards.set(link.hostLink, guard)
    this.#add(guard.elements)
    this.#delete(this.#unshared(before.filter((element) => !kept.has(elementKey(element)))))
  }

  unguard(hostLink: string): void {
    this.#delete(this.#dropGuards([hostLink]))
  }

  /** The elements that nobody needs without these guards. */
  #dropGuards(hostLinks: readonly string[]): Element[] {
    const elements = hostLinks.flatMap((hostLink) => this.#guards.get(hostLink)?.elements ?? [])
    for (const hostLink of hostLinks) this.#guards.delete(hostLink)
    return this.#unshared(elements)
  }

  /** A MAC address may be that of several containers, each on another bridge. */
  #unshared(elements: readonly Element[]): Element[] {
    const macs = new Set([...this.#guards.values()].map(({ mac }) => mac))
    return elements.filter(({ set, key }) => set !== 'separate_mac' || !macs.has(key[0]?.text ?? ''))
  }

  async publish(ports: readonly PublishedPort[]): Promise<void> {
    this.#add(ports.flatMap(portElements))
    await this.#flows.forget(datagramPorts(ports))
  }

  async unpublish(ports: readonly PublishedPort[]): Promise<void> {
    this.#delete(ports.flatMap(portElements))
    await this.#flows.forget(datagramPorts(ports))
  }

  link(ports: readonly LinkedPort[]): void {
    this.#add(ports.flatMap(linkElements))
  }

  unlink(ports: readonly LinkedPort[]): void {
    this.#delete(ports.flatMap(linkElements))
  }

  async withdraw({ ports, links, hostLinks }: HeldRules): Promise<void> {
    this.#delete([...ports.flatMap(portElements), ...links.flatMap(linkElements), ...this.#dropGuards(hostLinks)])
    await this.#flows.forget(datagramPorts(ports))
  }

  /** Makes the kernel's tables what they should be. Calls take their turn. */
  load(): Promise<void> {
    const turn = this.#loading.then(() => this.#load())
    this.#loading = turn.catch(() => {})
    return turn
  }

  /** After a failure: on a kernel without nf_tables for bridges the rest of the rules. Throws the failure when that is not why. */
  async loadWithoutFrames(failure: unknown): Promise<void> {
    const lacks = async (family: string) =>
      await this.#runScript(`add table ${family} ${tableName}\n`).then(
        () => false,
        () => true,
      )
    if ((await lacks('inet')) || !(await lacks('bridge'))) throw failure
    this.#filtersFrames = false
    this.#logger.warn({}, `the kernel has no nf_tables for bridges: ${withoutFrames}`)
    await this.load()
  }

  async #load(): Promise<void> {
    if (this.#isClosed) return
    if (!this.#filtersFrames && this.#networks.some(({ icc }) => !icc)) {
      throw unavailable('icc=false needs a kernel with nf_tables for bridges (CONFIG_NF_TABLES_BRIDGE)')
    }
    const meanwhile: NftChange[] = []
    this.#meanwhile = meanwhile
    const elements = [...this.#elements.values()]
    try {
      const script = buildRuleset({
        networks: this.#networks,
        elements,
        filtersFrames: this.#filtersFrames,
        ...this.#fixed,
      })
      await this.#run(script)
    } finally {
      this.#meanwhile = undefined
    }
    for (const change of meanwhile) this.#apply(change)
  }

  async #run(script: string): Promise<void> {
    let portId: number | undefined
    try {
      await this.#runScript(script, (id) => {
        portId = id
        this.#ownPorts.add(id)
      })
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      throw unavailable('the program nft is not found: networking needs the package nftables', error)
    } finally {
      // Not before what it did has been announced.
      const id = portId
      if (id !== undefined) setTimeout(() => this.#ownPorts.delete(id), restoreIntervalMs).unref()
    }
  }

  #add(elements: readonly Element[]): void {
    for (const element of elements) this.#elements.set(elementKey(element), elementText(element))
    this.#change('ensure', elements)
  }

  #delete(elements: readonly Element[]): void {
    for (const element of elements) this.#elements.delete(elementKey(element))
    this.#change('delete', elements)
  }

  #change(change: 'ensure' | 'delete', elements: readonly Element[]): void {
    for (let start = 0; start < elements.length; start += elementsPerBatch) {
      const all = elementChanges(change, elements.slice(start, start + elementsPerBatch))
      const changes = this.#filtersFrames ? all : all.filter(({ family }) => family !== 'bridge')
      this.#meanwhile?.push(...changes)
      this.#applyAll(changes)
    }
  }

  /** All in one transaction; where that fails, each for itself. */
  #applyAll(changes: readonly NftChange[]): void {
    try {
      this.#kernel.apply(changes)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      for (const change of changes) this.#apply(change)
    }
  }

  #apply(change: NftChange): void {
    for (const element of change.elements) {
      try {
        this.#kernel.apply([{ ...change, elements: [element] }])
      } catch (error) {
        // It is gone already, or somebody flushed the table, which is restored with all that there should be.
        if (codeOf(error) !== 'ENOENT') throw error
      }
    }
  }

  watch(): void {
    this.#watch = watchNft({
      table: tableName,
      isOwn: (portId) => this.#ownPorts.has(portId),
      onChange: () => this.#onForeignChange(),
    })
  }

  #onForeignChange(): void {
    this.#isDirty = true
    if (!this.#isRestoring) void this.#restoreWhileDirty()
  }

  /** Owned by this object: ends with it, and never throws. */
  async #restoreWhileDirty(): Promise<void> {
    this.#isRestoring = true
    while (this.#isDirty && !this.#isClosed) {
      this.#isDirty = false
      try {
        await this.load()
        this.#logger.warn({}, 'somebody changed the engine’s firewall rules: they have been restored')
      } catch (error) {
        this.#logger.error({ error }, 'the engine’s firewall rules, which somebody changed, could not be restored')
      }
      await delay(restoreIntervalMs, undefined, { ref: false })
    }
    this.#isRestoring = false
  }

  async remove(): Promise<void> {
    this.#isClosed = true
    await this.#loading
    this.#watch?.[Symbol.dispose]()
    this.#watch = undefined
    await this.#runScript(this.#filtersFrames ? removeRuleset : removeTable('inet'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    await this.#loading
    this.#watch?.[Symbol.dispose]()
    this.#kernel[Symbol.dispose]()
  }
}

/** What comes to them goes where the flow went that it belongs to, unless that is forgotten. */
const datagramPorts = (ports: readonly PublishedPort[]): Set<number> =>
  new Set(ports.filter(({ protocol, via }) => protocol === 'udp' && via !== 'routed').map(({ hostPort }) => hostPort))
