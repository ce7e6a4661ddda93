import type { Digest } from '@berth/oci'
import { Readable } from 'node:stream'
import type { BuildOutcome, ImageOptions, Material } from './builder.ts'
import type { Context } from './context.ts'
import { viewFileSystem } from './exec/writable.ts'
import { exportImage } from './export/export-image.ts'
import { rewriteLayers } from './export/rewrite-layers.ts'
import { squashLayers } from './export/squash-layers.ts'
import { withTimes } from './export/tar-times.ts'
import { inlineCache } from './cache/transfer/export-cache.ts'
import { type DoneStep, imageConfigOf, type StageState } from './stages/stage-state.ts'

export interface OutcomeFacts {
  /** All of the build. */
  readonly steps: readonly DoneStep[]
  readonly epochSeconds: number | undefined
  readonly materials: readonly Material[]
}

/** Keeps what a build made until it is disposed of. */
export class Outcome implements BuildOutcome {
  readonly state: StageState
  readonly #context: Context
  readonly #stack = new AsyncDisposableStack()
  #root: Promise<string> | undefined

  readonly epochSeconds: number | undefined
  readonly #steps: readonly DoneStep[]

  readonly materials: readonly Material[]

  constructor(context: Context, state: StageState, { steps, epochSeconds, materials }: OutcomeFacts) {
    this.materials = materials
    this.state = state
    this.#context = context
    this.#steps = steps
    this.epochSeconds = epochSeconds
    const lease = this.#stack.use(context.storage.leases.acquire())
    for (const layers of [state.fileSystem.layers, ...steps.map((step) => step.layers)]) {
      lease.keep(...layers.flatMap(({ chainId, descriptor }) => [chainId, descriptor.digest]))
    }
  }

  get config() {
    return imageConfigOf(this.state)
  }

  async createImage(tags: readonly string[], options: ImageOptions = {}): Promise<Digest> {
    const { steps, fileSystem } = this.state
    const chainIds = fileSystem.layers.map(({ chainId }) => chainId)
    const cache = options.isCache ? { cache: inlineCache(steps, chainIds) } : {}
    using lease = this.#context.storage.leases.acquire()
    const changed = options.isSquashed ? await squashLayers(this.#context, this.state, lease) : this.state
    const state = options.rewritesTimes
      ? await rewriteLayers(this.#context, changed, { epochSeconds: this.epochSeconds ?? 0, lease })
      : changed
    return await exportImage(this.#context, state, { tags, ...cache })
  }

  doneSteps(mode: 'min' | 'max'): readonly DoneStep[] {
    return mode === 'max' ? this.#steps : this.state.steps
  }

  rootPath(): Promise<string> {
    this.#root ??= this.#view()
    return this.#root
  }

  async pack(): Promise<Readable> {
    const tar = this.#context.storage.trees.pack(await this.rootPath())
    const seconds = this.epochSeconds
    return seconds === undefined ? tar : Readable.from(withTimes(tar, () => ({ seconds, nanoseconds: 0 })))
  }

  async #view(): Promise<string> {
    return this.#stack.use(await viewFileSystem(this.#context, this.state.fileSystem)).rootPath
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}
