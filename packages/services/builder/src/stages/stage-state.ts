import type { ConfigDraft } from '@berth/dockerfile'
import type { Digest, HistoryEntry, ImageConfig, Platform } from '@berth/oci'
import { hash } from 'node:crypto'
import type { ImageLayer } from '@berth/images'
import type { FileSystem } from '../filesystem.ts'

/** What a stage has come to after some of its steps. */
export interface StageState {
  readonly fileSystem: FileSystem
  readonly draft: ConfigDraft
  readonly history: readonly HistoryEntry[]
  readonly platform: Platform
  /** The image it began with, '' for scratch. */
  readonly baseId: Digest | ''
  /** When the last step was done, RFC 3339. */
  readonly created: string
  /** What the stage began with; absent where a state is no stage's. */
  readonly begun?: StageBeginning
  /** Nothing was done on the base image. */
  readonly isUntouched: boolean
  /** What made it, for caches that are kept elsewhere. */
  readonly steps: readonly DoneStep[]
}

/** What a stage stands on. */
export interface StageBeginning {
  /** Of the image, '' for scratch. */
  readonly imageId: string
  readonly layers: number
  readonly history: number
}

/** A step that was done, or was in the cache. */
export interface DoneStep {
  readonly key: Digest
  readonly description: string
  /** What it is by definition, where that is known. */
  readonly definition?: Digest
  /** RFC 3339. */
  readonly createdAt: string
  /** Undefined: it changed nothing. */
  readonly layer: ImageLayer | undefined
  /** All layers beneath and its own. */
  readonly layers: readonly ImageLayer[]
}

/** The image that a state stands for. */
export function imageConfigOf({ fileSystem, draft, history, platform, created }: StageState): ImageConfig {
  const { author } = draft
  return {
    ...platform,
    created,
    ...(author !== undefined && { author }),
    config: draft.config,
    rootfs: { type: 'layers', diff_ids: fileSystem.layers.map(({ diffId }) => diffId) },
    history: [...history],
  }
}

/** A digest over parts, each with its length, so that no two lists have the same. */
export function digestOf(...parts: readonly string[]): Digest {
  const text = parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join('')
  return `sha256:${hash('sha256', text)}` as Digest
}
