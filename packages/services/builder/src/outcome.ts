import type { Digest } from '@berth/oci'
import type { Readable } from 'node:stream'
import type { BuildOutcome } from './builder.ts'
import type { Context } from './context.ts'
import { viewFileSystem } from './exec/writable.ts'
import { exportImage } from './export/export-image.ts'
import { imageConfigOf, type StageState } from './stages/stage-state.ts'

/** Keeps what a build made until it is disposed of. */
export class Outcome implements BuildOutcome {
  readonly state: StageState
  readonly #context: Context
  readonly #stack = new AsyncDisposableStack()
  #root: Promise<string> | undefined

  constructor(context: Context, state: StageState) {
    this.state = state
    this.#context = context
    const lease = this.#stack.use(context.storage.leases.acquire())
    lease.keep(...state.fileSystem.layers.flatMap(({ chainId, descriptor }) => [chainId, descriptor.digest]))
  }

  get config() {
    return imageConfigOf(this.state)
  }

  createImage(tags: readonly string[]): Promise<Digest> {
    return exportImage(this.#context, this.state, tags)
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
