import { messageOf } from '@berth/base'
import type { BuildEvent, BuildProgress, BuildStep } from '@berth/builder'
import { formatReference, parseReference, withDefaultTag } from '@berth/oci'
import type { Progress } from './progress.ts'
import type { Vertex } from './vertex.ts'

/** What the builds of one client, for several platforms, have in common. */
interface Shared {
  readonly failed: Map<unknown, { readonly step: BuildStep; readonly vertex: string }>
  /** A step that is the same for several platforms is shown once, by the build that told of it first. */
  readonly byName: Map<string, { readonly vertex: Vertex; readonly teller: BuildTeller }>
  readonly counts: { total: number; cached: number; completed: number }
}

/** The steps of a build as vertices, and which of them failed. */
export class BuildTeller {
  readonly #progress: Progress
  readonly #shared: Shared
  /** The platform, where there are several. */
  readonly #platform: string
  readonly #vertices = new Map<string, Vertex>()
  /** The last vertex of each stage. */
  readonly #last = new Map<number, string>()
  /** Questions for the images that stages begin with, by the number of the FROM. */
  readonly #bases = new Map<number, Vertex>()

  constructor(progress: Progress, shared?: Shared, platform = '') {
    this.#progress = progress
    this.#platform = platform
    this.#shared = shared ?? {
      failed: new Map(),
      byName: new Map(),
      counts: { total: 0, cached: 0, completed: 0 },
    }
  }

  /** Tells of the same client's build for one of several platforms. */
  forPlatform(platform: string): BuildTeller {
    return new BuildTeller(this.#progress, this.#shared, platform)
  }

  readonly take: BuildProgress = (event) => {
    // Told by the front itself, or not a step that BuildKit shows.
    if (event.kind === 'warning') return
    if (event.kind === 'failed') return this.#fail(event.step, event.error)
    if (event.step.isCounted) this.#tell(event)
  }

  get counts(): { readonly total: number; readonly cached: number; readonly completed: number } {
    return this.#shared.counts
  }

  /** Where an error came from. */
  failedStep(error: unknown): { readonly step: BuildStep; readonly vertex: string } | undefined {
    return this.#shared.failed.get(error)
  }

  #tell(event: Exclude<BuildEvent, { kind: 'warning' | 'failed' }>): void {
    switch (event.kind) {
      case 'started':
        return this.#start(event.step)
      case 'running':
        return
      case 'output':
        return this.#log(event.step, event.stream, event.bytes)
      case 'ended':
        return this.#end(event.step, event.isCached)
    }
  }

  /** An image is asked for before its stage begins with it. */
  #start(step: BuildStep): void {
    const reference = baseReference(step.text)
    if (reference === undefined) return void this.#vertex(step).start()
    const platform = this.#platform === '' ? '' : `${step.label.split(' ', 1)[0]} `
    this.#bases.set(step.number, this.#named(`[${platform}internal] load metadata for ${reference}`).vertex.start())
  }

  #log(step: BuildStep, stream: 1 | 2, bytes: Buffer): void {
    const vertex = this.#vertex(step)
    if (this.#platform !== '' && this.#shared.byName.get(vertex.name)?.teller !== this) return
    vertex.log(stream, bytes)
  }

  #end(step: BuildStep, isCached: boolean): void {
    this.#bases.get(step.number)?.complete()
    this.#bases.delete(step.number)
    const vertex = this.#vertex(step)
    if (vertex.isCompleted) return
    this.#shared.counts.completed++
    if (isCached) this.#shared.counts.cached++
    vertex.complete({ isCached })
  }

  #vertex(step: BuildStep): Vertex {
    const key = `${step.number} ${step.text}`
    const known = this.#vertices.get(key)
    if (known) return known
    const input = this.#last.get(step.stage)
    const { vertex, isNew } = this.#named(`[${step.label}] ${nameOf(step.text)}`, input === undefined ? [] : [input])
    if (isNew) this.#shared.counts.total++
    this.#vertices.set(key, vertex)
    this.#last.set(step.stage, vertex.digest)
    return vertex
  }

  /** The vertex of that name: a new one, unless another platform has it. */
  #named(name: string, inputs: readonly string[] = []): { readonly vertex: Vertex; readonly isNew: boolean } {
    const known = this.#platform === '' ? undefined : this.#shared.byName.get(name)
    if (known && known.teller !== this) return { vertex: known.vertex, isNew: false }
    const vertex = this.#progress.vertex(name, inputs)
    if (this.#platform !== '') this.#shared.byName.set(name, { vertex, teller: this })
    return { vertex, isNew: true }
  }

  /** A stage that stands on a failed one fails by the same error: the first step to have it is where it came from. */
  #fail(step: BuildStep, error: unknown): void {
    const isFirst = !this.#shared.failed.has(error)
    if (!step.isCounted) {
      if (isFirst) this.#shared.failed.set(error, { step, vertex: '' })
      return
    }
    const vertex = this.#bases.get(step.number) ?? this.#vertex(step)
    if (isFirst) this.#shared.failed.set(error, { step, vertex: vertex.digest })
    const isGivenUp = error instanceof Error && error.name === 'AbortError'
    vertex.complete({ error: isFirst && !isGivenUp ? buildMessage(error) : 'context canceled' })
  }
}

/** What BuildKit says of an error. */
export function buildMessage(error: unknown): string {
  if (error instanceof Error && 'exitCode' in error && 'command' in error) {
    return `process ${JSON.stringify(error.command)} did not complete successfully: exit code: ${String(error.exitCode)}`
  }
  return messageOf(error)
}

const fromLine = /^FROM\s+(?:--\S+\s+)*(\S+)/i

/** The whole name of a FROM's image; undefined when it is no FROM, or only variables tell. */
function baseReference(text: string): string | undefined {
  const base = fromLine.exec(text)?.[1]
  if (base === undefined || base.includes('$')) return undefined
  try {
    return formatReference(withDefaultTag(parseReference(base)))
  } catch {
    return undefined
  }
}

/** The step as BuildKit shows it: with the whole name of an image, and without the stage's. */
function nameOf(text: string): string {
  const reference = baseReference(text)
  return reference === undefined ? text : `FROM ${reference}`
}
