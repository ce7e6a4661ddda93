import { invalid, notImplemented } from '@berth/base'
import type { LogQuery, LogTarget } from '@berth/runtime'
import { join } from 'node:path'
import type { Container } from './container.ts'
import type { LogStream } from './containers.ts'
import type { Context } from './context.ts'
import { planLog, recordedAttributes } from './plan/log-options.ts'
import { isUp } from './stop.ts'

/** What was logged, and with `follow` what will be until the container's exit. */
export function openLogs(
  context: Context,
  container: Container,
  query: Omit<LogQuery, 'raw'>,
  follow: AbortSignal | undefined,
): LogStream {
  if (!query.stdout && !query.stderr) throw invalid('Bad parameters: you must choose at least one stream')
  const target = logTarget(context, container)
  if (target.driver === 'none') throw notImplemented('configured logging driver does not support reading')
  const tty = container.config.Tty
  const following = follow && followUntilExit(context, container, follow)
  return { tty, chunks: context.readLogs(target, { ...query, raw: tty }, following) }
}

function followUntilExit(context: Context, container: Container, signal: AbortSignal) {
  const ended = isUp(container) ? logEnd(context, container, signal) : Promise.resolve()
  return { signal, ended }
}

/** Resolves when no more will be logged: an exit that no restart follows, or removal. */
async function logEnd(context: Context, container: Container, signal: AbortSignal): Promise<void> {
  for (;;) {
    await context.waiters.wait(container.id, 'next-exit', signal).catch(() => undefined)
    if (signal.aborted) return
    await context.locks.run(container.id, () => undefined)
    const now = context.registry.byId(container.id)
    if (!now || !isUp(now)) return
  }
}

/** Where and how the container's output is kept. */
export function logTarget(context: Pick<Context, 'directory'>, container: Container): LogTarget {
  const plan = planLog(container.hostConfig.LogConfig)
  if (plan.driver === 'none') return plan
  const { driver, maxSizeBytes, maxFiles, compress, mode, maxBufferSizeBytes } = plan
  const attrs = recordedAttributes(plan, container)
  return {
    driver,
    path: pathOf(context, container, driver),
    maxSizeBytes,
    maxFiles,
    compress,
    ...(attrs ? { attrs } : {}),
    ...(mode === 'non-blocking' ? { dropsBeyondBytes: maxBufferSizeBytes } : {}),
  }
}

function pathOf({ directory }: Pick<Context, 'directory'>, { id }: Container, driver: 'json-file' | 'local'): string {
  return driver === 'local' ? join(directory, id, 'local-logs', 'container.log') : join(directory, id, `${id}-json.log`)
}

/** The log file that clients may read themselves, json-file's; '' where there is none. */
export function publicLogPath(context: Pick<Context, 'directory'>, container: Container): string {
  const isPublic = container.hasBeenStarted && container.hostConfig.LogConfig.Type === 'json-file'
  return isPublic ? pathOf(context, container, 'json-file') : ''
}
