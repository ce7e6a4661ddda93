import { messageOf } from '@berth/base'
import type { BuildEvent, BuildProgress, BuildStep } from '@berth/builder'
import { familiarString, formatReference, parseReference, withDefaultTag } from '@berth/oci'
import type { Progress } from './progress.ts'
import type { Vertex } from './vertex.ts'

/** The steps of a build as vertices, and which of them failed. */
export class BuildTeller {
  readonly #progress: Progress
  readonly #vertices = new Map<string, Vertex>()
  /** The last vertex of each stage. */
  readonly #last = new Map<number, string>()
  readonly #failed = new Map<unknown, { readonly step: BuildStep; readonly vertex: string }>()
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
    const vertex = this.#vertex(event.step)
    switch (event.kind) {
      case 'started':
        return void vertex.start()
      case 'running':
        return
      case 'output':
        return vertex.log(event.stream, event.bytes)
      case 'ended':
        this.#completedSteps++
        if (event.isCached) this.#cachedSteps++
        return vertex.complete({ isCached: event.isCached })
    }
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
    const vertex = this.#vertex(step)
    if (isFirst) this.#failed.set(error, { step, vertex: vertex.digest })
    const isGivenUp = error instanceof Error && error.name === 'AbortError'
    vertex.complete({ error: isGivenUp ? 'context canceled' : buildMessage(error) })
  }
}

/** What BuildKit says of an error. */
export function buildMessage(error: unknown): string {
  if (error instanceof Error && 'exitCode' in error && 'command' in error) {
    return `process ${JSON.stringify(error.command)} did not complete successfully: exit code: ${String(error.exitCode)}`
  }
  return messageOf(error)
}

/** The base of a FROM with its whole name, as BuildKit shows it. */
function nameOf(text: string): string {
  const [, from = '', base = '', rest = ''] = /^(FROM\s+(?:--\S+\s+)*)(\S+)(.*)$/i.exec(text) ?? []
  if (from === '' || !/[:/]/.test(base)) return text
  try {
    const reference = withDefaultTag(parseReference(base))
    return familiarString(reference) === base ? `${from}${formatReference(reference)}${rest}` : text
  } catch {
    return text
  }
}
