import type { Stage } from '@berth/dockerfile'
import type { ImageLayer } from '@berth/images'
import { type Digest, mediaTypes } from '@berth/oci'

/**
 * What steps that take from other stages are by what those stages are told to do, rather than by what comes of it; by
 * their numbers. A cache from elsewhere that knows them spares those stages.
 */
export type Definitions = ReadonlyMap<number, Digest>

/** Steps are only defined, not done: each stands for its layer by its key. */
export class DefinitionPass {
  readonly #keys = new Map<number, Digest>()
  /** Triggers share the number of their FROM. */
  readonly #ambiguous = new Set<number>()
  readonly #stageKey: (name: string, before: Stage) => Promise<Digest | undefined>

  constructor(stageKey: (name: string, before: Stage) => Promise<Digest | undefined>) {
    this.#stageKey = stageKey
  }

  /** What a stage is by definition; undefined for what is no stage. */
  stageKey(name: string, before: Stage): Promise<Digest | undefined> {
    return this.#stageKey(name, before)
  }

  record(number: number, key: Digest): void {
    if (this.#keys.has(number)) this.#ambiguous.add(number)
    this.#keys.set(number, key)
  }

  get definitions(): Definitions {
    return new Map([...this.#keys].filter(([number]) => !this.#ambiguous.has(number)))
  }
}

/** Stands for the layer of a step that is only defined. */
export const definedLayer = (key: Digest): ImageLayer => ({
  descriptor: { mediaType: mediaTypes.layerTar, digest: key, size: 0 },
  diffId: key,
  chainId: key,
  sizeBytes: 0,
})
