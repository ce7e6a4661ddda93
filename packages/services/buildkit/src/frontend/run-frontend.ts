import { invalid } from '@berth/base'
import { type BuildOutcome, type BuildRequest, type Builder, contextPaths, type Entitlement } from '@berth/builder'
import type { Images } from '@berth/images'
import { setImmediate } from 'node:timers/promises'
import type { CleanUps } from '../jobs/clean-ups.ts'
import type { Job } from '../jobs/job.ts'
import { askCredentials, askSecret } from '../session/ask-client.ts'
import { forwardAgent, hasAgent } from '../session/forward-agent.ts'
import type { Sessions } from '../session/sessions.ts'
import { buildError, type SourceFile } from './build-error.ts'
import type { FrontendRequest } from './decode-attributes.ts'
import { askForIgnoreFile, fetchRemote, type FileSources, type Definition, loadDefinition } from './load-definition.ts'
import { type LazyDirectory, localDirectory } from './local-context.ts'
import { openNamedContexts } from './named-contexts.ts'
import { Transfers } from './transfers.ts'

export interface FrontendContext {
  readonly builder: Builder
  readonly images: Pick<Images, 'resolve'>
  readonly sessions: Sessions
  readonly cleanUps: CleanUps
  readonly job: Job
  /** The build's own session. */
  readonly sessionId: string
  readonly entitlements: readonly Entitlement[]
  input(name: string): BuildOutcome | undefined
}

/** A Dockerfile with all that it needs, before anything is built. */
export interface LoadedBuild {
  readonly request: BuildRequest
  readonly definition: Definition
  readonly source: SourceFile
  /** The client sends what is known to be needed of the context, before a step asks for it; resolves when it was asked to. */
  expectContext(): Promise<void>
}

/** Runs `work` on the loaded Dockerfile; its errors are told with the lines that they stand on. */
export async function withDefinition<T>(
  context: FrontendContext,
  request: FrontendRequest,
  work: (loaded: LoadedBuild) => Promise<T>,
): Promise<T> {
  const transfers = new Transfers(context.job.signal)
  try {
    return await loadAndRun(context, request, transfers, work)
  } finally {
    // The client need not wait for it.
    context.cleanUps.add(transfers)
  }
}

async function loadAndRun<T>(
  context: FrontendContext,
  request: FrontendRequest,
  transfers: Transfers,
  work: (loaded: LoadedBuild) => Promise<T>,
): Promise<T> {
  const files = fileSources(context, request, transfers)
  // Of the context itself: named ones go by their addresses alone.
  const keepsGitDirectory = /^(?:1|t|true)$/i.test(request.args['BUILDKIT_CONTEXT_KEEP_GIT_DIR'] ?? '')
  const remote =
    request.context === undefined ? undefined : await fetchRemote(files, request.context, { keepsGitDirectory })
  const askedIgnoreFile = remote ? undefined : askForIgnoreFile(files, 'context')
  const definition = await loadDefinition(files, request, remote)
  const source = { filename: request.filename, text: definition.dockerfile }
  try {
    requireBuiltInSyntax(definition.dockerfile)
    const contexts = openNamedContexts(request.namedContexts, { files, input: context.input })
    const { target: name, args, platforms } = request
    const common = { dockerfile: definition.dockerfile, target: name, contexts, args }
    const [first, ...others] = platforms.map((platform) => ({ ...common, platform }))
    const target = first ?? { ...common, platform: '' }
    const paths = knownPaths([target, ...others])
    const contextDirectory: LazyDirectory = remote
      ? async () => remote.tree.directory
      : localDirectory(files, {
          name: 'context',
          titles: { tree: '[internal] load build context', ignoreFile: '[internal] load .dockerignore' },
          ignoreFile: definition.ignoreFile,
          askedIgnoreFile,
          paths,
        })
    const built: BuildRequest = {
      ...target,
      labels: request.labels,
      noCache: request.noCache,
      pulls: request.pulls,
      run: request.run,
      tags: [],
      style: 'buildkit',
      contextDirectory,
      sharesContext: true,
      entitlements: context.entitlements,
      ...sessionParts(context),
    }
    const expectContext = async () => {
      if (!paths || paths.length === 0) return
      transfers.expect(contextDirectory(paths))
      // What is sent goes out when the event loop turns.
      await setImmediate()
    }
    return await work({ request: built, definition, source, expectContext })
  } catch (error) {
    throw buildError(error, source, context.job.steps)
  }
}

function fileSources(
  { builder, sessions, job, sessionId }: FrontendContext,
  { sessionOf }: FrontendRequest,
  { received, signal }: Transfers,
): FileSources {
  return {
    builder,
    progress: job.progress,
    signal,
    received,
    sessionFor: (directory) => sessions.get(sessionOf.get(directory) ?? sessionId, signal),
  }
}

/** What only the build's own session is asked for. */
function sessionParts({ sessions, job, sessionId }: FrontendContext): Pick<BuildRequest, 'session' | 'credentials'> {
  const { signal } = job
  const own = () => sessions.get(sessionId, signal)
  return {
    credentials: async (domain) => askCredentials(await own(), domain, signal),
    session: {
      secret: async (id) => askSecret(await own(), id, signal),
      forwardAgent: async (id, path) => {
        const session = await own()
        return (await hasAgent(session, id, signal)) ? await forwardAgent(session, id, path) : undefined
      },
    },
  }
}

/** The build itself says what is wrong with the Dockerfile. */
function knownPaths(targets: readonly Parameters<typeof contextPaths>[0][]): readonly string[] | undefined {
  try {
    const paths = targets.map((target) => contextPaths(target))
    return paths.includes(undefined) ? undefined : [...new Set(paths.flatMap((some) => some ?? []))]
  } catch {
    return undefined
  }
}

/** `docker/dockerfile` is built in; no other frontend is run. */
function requireBuiltInSyntax(dockerfile: string): void {
  const syntax = /^(?:#[^\n]*\n)*?#\s*syntax\s*=\s*(\S+)/i.exec(dockerfile)?.[1]
  if (syntax !== undefined) requireBuiltIn(syntax)
}

/** Throws for any frontend but the Dockerfile's. */
export function requireBuiltIn(image: string): void {
  if (/^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@].*)?$/.test(image)) return
  throw invalid(`frontend ${image} is not supported: only docker/dockerfile, which is built in`)
}
