import type { Descriptor, Digest } from '@berth/oci'
import type { Readable } from 'node:stream'
import type { BuildOutcome } from './builder.ts'
import type { Context } from './context.ts'
import { viewFileSystem } from './exec/writable.ts'
import { exportImage } from './export/export-image.ts'
import { exportCache, inlineCache } from './cache/transfer/export-cache.ts'
import { type DoneStep, imageConfigOf, type StageState } from './stages/stage-state.ts'

/** Keeps what a build made until it is disposed of. */
export class Outcome implements BuildOutcome {
  readonly state: StageState
  readonly #context: Context
  readonly #stack = new AsyncDisposableStack()
  #root: Promise<string> | undefined

  readonly #steps: readonly DoneStep[]

  /** `steps` are all of the build. */
  constructor(context: Context, state: StageState, steps: readonly DoneStep[]) {
    this.state = state
    this.#context = context
    this.#steps = steps
    const lease = this.#stack.use(context.storage.leases.acquire())
    for (const layers of [state.fileSystem.layers, ...steps.map((step) => step.layers)]) {
      lease.keep(...layers.flatMap(({ chainId, descriptor }) => [chainId, descriptor.digest]))
    }
  }

  get config() {
    return imageConfigOf(this.state)
  }

  createImage(tags: readonly string[], { isCache = false } = {}): Promise<Digest> {
    const { steps, fileSystem } = this.state
    const chainIds = fileSystem.layers.map(({ chainId }) => chainId)
    return exportImage(this.#context, this.state, { tags, ...(isCache && { cache: inlineCache(steps, chainIds) }) })
  }

  exportCache(target: Parameters<BuildOutcome['exportCache']>[0], signal: AbortSignal): Promise<Descriptor> {
    return exportCache(target.mode === 'max' ? this.#steps : this.state.steps, target, signal)
  }

  rootPath(): Promise<string> {
    this.#root ??= this.#view()
    return this.#root
  }

  async pack(): Promise<Readable> {
    return this.#context.storage.trees.pack(await this.rootPath())
  }

  async #view(): Promise<string> {
    return this.#stack.use(await viewFileSystem(this.#context, this.state.fileSystem)).rootPath
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}
