import { messageOf } from '@berth/base'
import type { BuildEvent, BuildProgress, BuildStep } from '@berth/builder'
import { formatReference, parseReference, withDefaultTag } from '@berth/oci'
import type { Progress } from './progress.ts'
import type { Vertex } from './vertex.ts'

/** The steps of a build as vertices, and which of them failed. */
export class BuildTeller {
  readonly #progress: Progress
  readonly #vertices = new Map<string, Vertex>()
  /** The last vertex of each stage. */
  readonly #last = new Map<number, string>()
  readonly #failed = new Map<unknown, { readonly step: BuildStep; readonly vertex: string }>()
  /** Questions for the images that stages begin with, by the number of the FROM. */
  readonly #bases = new Map<number, Vertex>()
  #steps = 0
  #cachedSteps = 0
  #completedSteps = 0

  constructor(progress: Progress) {
    this.#progress = progress
  }

  readonly take: BuildProgress = (event) => {
    // Told by the front itself, or not a step that BuildKit shows.
    if (event.kind === 'warning') return
    if (event.kind === 'failed') return this.#fail(event.step, event.error)
    if (event.step.isCounted) this.#tell(event)
  }

  get counts(): { readonly total: number; readonly cached: number; readonly completed: number } {
    return { total: this.#steps, cached: this.#cachedSteps, completed: this.#completedSteps }
  }

  /** Where an error came from. */
  failedStep(error: unknown): { readonly step: BuildStep; readonly vertex: string } | undefined {
    return this.#failed.get(error)
  }

  #tell(event: Exclude<BuildEvent, { kind: 'warning' | 'failed' }>): void {
    switch (event.kind) {
      case 'started':
        return this.#start(event.step)
      case 'running':
        return
      case 'output':
        return this.#vertex(event.step).log(event.stream, event.bytes)
      case 'ended':
        return this.#end(event.step, event.isCached)
    }
  }

  /** An image is asked for before its stage begins with it. */
  #start(step: BuildStep): void {
    const reference = baseReference(step.text)
    if (reference === undefined) return void this.#vertex(step).start()
    this.#bases.set(step.number, this.#progress.vertex(`[internal] load metadata for ${reference}`).start())
  }

  #end(step: BuildStep, isCached: boolean): void {
    this.#bases.get(step.number)?.complete()
    this.#bases.delete(step.number)
    this.#completedSteps++
    if (isCached) this.#cachedSteps++
    this.#vertex(step).complete({ isCached })
  }

  #vertex(step: BuildStep): Vertex {
    const key = `${step.number} ${step.text}`
    const known = this.#vertices.get(key)
    if (known) return known
    const input = this.#last.get(step.stage)
    const vertex = this.#progress.vertex(`[${step.label}] ${nameOf(step.text)}`, input === undefined ? [] : [input])
    this.#steps++
    this.#vertices.set(key, vertex)
    this.#last.set(step.stage, vertex.digest)
    return vertex
  }

  /** A stage that stands on a failed one fails by the same error: the first step to have it is where it came from. */
  #fail(step: BuildStep, error: unknown): void {
    const isFirst = !this.#failed.has(error)
    if (!step.isCounted) {
      if (isFirst) this.#failed.set(error, { step, vertex: '' })
      return
    }
    const vertex = this.#bases.get(step.number) ?? this.#vertex(step)
    if (isFirst) this.#failed.set(error, { step, vertex: vertex.digest })
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

const fromLine = /^(FROM\s+(?:--\S+\s+)*)(\S+)(.*)$/i

/** The whole name of a FROM's image; undefined when it is no FROM, or only variables tell. */
function baseReference(text: string): string | undefined {
  const base = fromLine.exec(text)?.[2]
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
