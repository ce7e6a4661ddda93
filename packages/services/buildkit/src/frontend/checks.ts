import { invalid, isKind } from '@berth/base'
import { planBuild } from '@berth/builder'
import {
  checkDockerfile,
  type CheckReport,
  type CheckRequest,
  type CheckWarning,
  parseIgnoreFile,
  platformArgs,
} from '@berth/dockerfile'
import type { Images } from '@berth/images'
import { hostPlatform, type ImageRunConfig, parsePlatform } from '@berth/oci'
import type { Job } from '../jobs/job.ts'
import type { Progress } from '../progress/progress.ts'
import type { SourceFile } from './build-error.ts'
import type { LoadedBuild } from './run-frontend.ts'
import { locationOf } from './list-targets.ts'

export interface Checked extends CheckReport {
  /** A base image is not here yet: what it sets is not known. */
  readonly isComplete: boolean
}

/** BuildKit's build checks of what is to be built, with the base images that are here. */
export async function checkBuild(images: Pick<Images, 'resolve'>, loaded: LoadedBuild): Promise<Checked> {
  const asked = new Set<string>()
  const isNeeded = neededBy(loaded.request)
  check(loaded, isNeeded, (name) => void asked.add(name))
  const known = new Map<string, ImageRunConfig>()
  for (const name of asked) {
    const config = await configOf(images, name)
    if (config) known.set(name, config)
  }
  const isComplete = known.size === asked.size
  const { warnings, failure } = check(loaded, isNeeded, (name) => known.get(name))
  const sure = isComplete ? warnings : warnings.filter(({ name }) => name !== 'UndefinedVar')
  return { warnings: sure, failure, isComplete }
}

type IsNeeded = NonNullable<CheckRequest['isNeeded']>

function check(
  { request, definition }: LoadedBuild,
  isNeeded: IsNeeded,
  baseConfig: (name: string) => ImageRunConfig | undefined,
) {
  const host = hostPlatform()
  const target = request.platform === '' ? host : parsePlatform(request.platform)
  const { ignoreFile } = definition
  return checkDockerfile({
    dockerfile: request.dockerfile,
    args: request.args,
    automatic: platformArgs(host, target),
    check: request.args['BUILDKIT_DOCKERFILE_CHECK'],
    ...(ignoreFile !== undefined && { ignored: parseIgnoreFile(ignoreFile) }),
    baseConfig,
    isNeeded,
  })
}

function neededBy(request: LoadedBuild['request']): IsNeeded {
  try {
    const indices = new Set(planBuild(request, 'buildkit').needed.map(({ index }) => index))
    return ({ index }) => indices.has(index)
  } catch {
    // What is wrong with the Dockerfile, the check itself says.
    return () => true
  }
}

async function configOf(images: Pick<Images, 'resolve'>, name: string): Promise<ImageRunConfig | undefined> {
  try {
    return (await images.resolve(name)).config.config ?? {}
  } catch (error) {
    if (isKind(error, 'notFound') || isKind(error, 'invalid')) return undefined
    throw error
  }
}

/** Failures of the checks alone: warnings that shall fail the build, and options that are none. */
const ofChecks = /^(?:lint violation found|failed to parse check options)/

/** Tells what was found; throws `invalid` where that fails the build. */
export function reportChecks(job: Job, { definition, source }: LoadedBuild, { warnings, failure }: Checked): void {
  tellWarnings(job.progress, definition.vertex, source, warnings)
  job.warningCount = warnings.length
  // Whatever else is wrong, the build itself says.
  if (failure && ofChecks.test(failure.message)) throw invalid(failure.message)
}

/** Warnings of a vertex: clients list them in the end. */
function tellWarnings(progress: Progress, vertex: string, source: SourceFile, warnings: readonly CheckWarning[]): void {
  const info = { filename: source.filename, data: Buffer.from(source.text), language: 'Dockerfile' }
  for (const { name, detail, description, url, ranges } of warnings) {
    const line = ranges[0]?.start ?? 1
    progress.tell({
      warnings: [
        {
          vertex,
          level: 1n,
          short: Buffer.from(`${name}: ${detail} (line ${line})`),
          detail: [Buffer.from(description)],
          url,
          info,
          ranges: ranges.map(({ start, end }) => ({ start: { line: start }, end: { line: end } })),
        },
      ],
    })
  }
}

/** github.com/moby/buildkit/frontend/subrequests/lint */
export function lintDocument({ warnings, failure }: CheckReport, { filename, text }: SourceFile): unknown {
  const found = warnings.map(({ name, description, url, detail, ranges }) => ({
    ruleName: name,
    description,
    url,
    detail,
    location: { ranges: ranges.flatMap((range) => locationOf(range).ranges) },
  }))
  return {
    warnings: found.length > 0 ? found : null,
    sources: [{ filename, data: Buffer.from(text).toString('base64'), language: 'Dockerfile' }],
    ...(failure && {
      buildError: {
        message: failure.message,
        location: failure.lines ? locationOf(failure.lines) : { ranges: [] },
      },
    }),
  }
}
