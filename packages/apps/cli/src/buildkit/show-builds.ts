import type { StatusResponse, VertexWarning } from '@berth/buildkit-protocol'
import type { Cli } from '../cli.ts'
import { currentContext } from '../context/current-context.ts'
import { StatusError } from '../errors.ts'
import type { BuildRequest } from './build-request.ts'
import { openView, type ProgressMode } from './progress/open-view.ts'
import type { ProgressView } from './progress/view.ts'
import { type BuildResult, describeBuildFailure, runBuilds } from './run-builds.ts'
import { sourceExcerpts } from './source-excerpt.ts'
import { warningsBlock } from './warnings.ts'

export interface ShownBuilds {
  readonly results: ReadonlyMap<string, BuildResult>
  readonly warnings: readonly VertexWarning[]
}

export interface ShowOptions {
  readonly mode: ProgressMode
  /** What was done before the builds. */
  readonly before?: StatusResponse
  /** What a failure is told with first. */
  readonly failure?: string
}

/** As a shell has it for a program that a signal ends. */
const interruptedCode = 130

/**
 * Runs builds and shows their progress, warnings and errors on standard error. A control-C stops them at once. Throws a
 * `StatusError` for a build that fails, when all has been said of it.
 */
export async function showBuilds(
  cli: Cli,
  requests: readonly BuildRequest[],
  { mode, before, failure = 'failed to build: ' }: ShowOptions,
): Promise<ShownBuilds> {
  const view = openView(cli, mode, currentContext(cli.contextSources))
  // What is drawn on a terminal would be drawn over them.
  let warnings = ''
  const warn = (text: string): void => void (warnings += text)
  if (before !== undefined) view.take(before, '')
  let failed = ''
  const onFailure = (name: string): void => {
    if (failed === '' && name !== '') failed = `target ${name}: `
  }
  using interruption = interruptible()
  const { signal } = interruption
  try {
    const results = await runBuilds(cli, requests, { view, signal, warn, onFailure })
    view.end()
    cli.err(warnings)
    tellWarnings(cli, view, mode)
    return { results, warnings: view.trace.warnings }
  } catch (error) {
    view.end()
    cli.err(warnings)
    if (signal.aborted)
      throw new StatusError(interruptedCode, `ERROR: ${failure}${failed}${describeBuildFailure(error)}`)
    tellWarnings(cli, view, mode)
    cli.err(sourceExcerpts(error))
    throw new StatusError(1, `ERROR: ${failure}${failed}${describeBuildFailure(error)}`)
  }
}

function tellWarnings(cli: Cli, { trace }: ProgressView, mode: ProgressMode): void {
  if (mode === 'tty' || mode === 'plain') cli.err(warningsBlock(cli, trace.warnings))
}

/** Aborts when we are told to end; a second time ends us. */
function interruptible(): { readonly signal: AbortSignal } & Disposable {
  const abort = new AbortController()
  const stop = () => {
    if (abort.signal.aborted) process.exit(interruptedCode)
    abort.abort(new DOMException('context canceled', 'AbortError'))
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, stop)
  return {
    signal: abort.signal,
    [Symbol.dispose]: () => {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, stop)
    },
  }
}
