import type { VertexWarning } from '@berth/buildkit-protocol'
import type { Cli } from '../cli.ts'
import { currentContext } from '../context/current-context.ts'
import { StatusError } from '../errors.ts'
import type { BuildRequest } from './build-request.ts'
import { openView, type ProgressMode } from './progress/open-view.ts'
import { type BuildResult, describeBuildFailure, runBuilds } from './run-builds.ts'
import { sourceExcerpts } from './source-excerpt.ts'
import { warningsBlock } from './warnings.ts'

export interface ShownBuilds {
  readonly results: ReadonlyMap<string, BuildResult>
  readonly warnings: readonly VertexWarning[]
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
  { mode }: { readonly mode: ProgressMode },
): Promise<ShownBuilds> {
  const view = openView(cli, mode, currentContext(cli.contextSources))
  using interruption = interruptible()
  const { signal } = interruption
  try {
    const results = await runBuilds(cli, requests, { view, signal })
    view.end()
    const { warnings } = view.trace
    if (mode === 'tty' || mode === 'plain') cli.err(warningsBlock(cli, warnings))
    return { results, warnings }
  } catch (error) {
    view.end()
    if (signal.aborted) throw new StatusError(interruptedCode, `ERROR: ${failed}${describeBuildFailure(error)}`)
    cli.err(sourceExcerpts(error))
    throw new StatusError(1, `ERROR: ${failed}${describeBuildFailure(error)}`)
  }
}

const failed = 'failed to build: '

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
