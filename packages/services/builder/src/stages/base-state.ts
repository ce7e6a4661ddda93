import { EngineError, isKind } from '@berth/base'
import type { Stage } from '@berth/dockerfile'
import type { Image } from '@berth/images'
import {
  type Digest,
  familiarName,
  formatPlatform,
  formatReference,
  parsePlatform,
  parseReference,
  type Platform,
  withDefaultTag,
} from '@berth/oci'
import { emptyFileSystem } from '../filesystem.ts'
import type { NamedContext } from '../builder.ts'
import type { BuildContext } from '../steps/step-context.ts'
import { directoryState, findContext } from './named-contexts.ts'
import type { StageState } from './stage-state.ts'

/** What a stage begins with that stands on no other: nothing, or an image. */
export async function baseState(
  build: BuildContext,
  { base: name, platform: platformText }: Pick<Stage['from'], 'base' | 'platform'>,
): Promise<StageState> {
  const platform = platformText === '' ? build.platforms.target : parsePlatform(platformText)
  const named = findContext(build.request.contexts, name, platform)
  if (named) return await contextState(build, named, { platform, wanted: platformText || build.request.platform })
  if (name.toLowerCase() === 'scratch') return scratch(build, platform)
  return await imageState(build, { name, platform, wanted: platformText || build.request.platform })
}

interface WantedPlatform {
  readonly platform: Platform
  /** As it was asked for; '' is whatever is here. */
  readonly wanted: string
}

async function contextState(
  build: BuildContext,
  named: NamedContext,
  { platform, wanted }: WantedPlatform,
): Promise<StageState> {
  switch (named.kind) {
    case 'image':
      return await imageState(build, { name: named.reference, platform, wanted })
    case 'outcome':
      return named.outcome.state
    case 'directory':
      return await directoryState(build, await named.directory(), scratch(build, platform))
  }
}

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function scratch({ request }: BuildContext, platform: Platform): StageState {
  const config = { Env: [defaultPath], ...(request.style === 'buildkit' && { WorkingDir: '/' }) }
  return {
    fileSystem: emptyFileSystem,
    draft: { config, isCmdSet: false },
    history: [],
    platform,
    baseId: '',
    created: new Date(0).toISOString(),
    isUntouched: false,
    steps: [],
  }
}

async function imageState(
  build: BuildContext,
  { name, platform, wanted }: WantedPlatform & { readonly name: string },
): Promise<StageState> {
  const { images } = build.context
  const image = await told(build, name, () => findImage(build, name, wanted || undefined))
  const layers = await images.layersOf(image)
  noteMaterial(build, name, image)
  const { config, history = [], author, created, os, architecture, variant } = image.config
  const { Env = [], ...rest } = config ?? {}
  const hasPath = Env.some((entry) => entry.startsWith('PATH='))
  const withPath = build.request.style === 'buildkit' && !hasPath ? [...Env, defaultPath] : Env
  return {
    fileSystem: { layers },
    draft: {
      config: { ...rest, ...(withPath.length > 0 && { Env: withPath }) },
      isCmdSet: false,
      ...(author && { author }),
    },
    history,
    platform: { ...platform, os, architecture, ...(variant && { variant }) },
    baseId: image.id,
    created: created ?? new Date(0).toISOString(),
    isUntouched: true,
    steps: [],
  }
}

/** A name stands for what its registry gave, or for what is here. */
function noteMaterial({ materials }: BuildContext, text: string, { repoDigests, manifest, config }: Image): void {
  const reference = withDefaultTag(parseReference(text))
  const name = formatReference(reference)
  const prefix = `${familiarName(reference)}@`
  const known = repoDigests.find((one) => one.startsWith(prefix))?.slice(prefix.length) as Digest | undefined
  const { os, architecture, variant } = config
  const platform = { os, architecture, ...(variant && { variant }) }
  materials.set(`${name} ${formatPlatform(platform)}`, { name, platform, digest: known ?? manifest })
}

/** BuildKit names the image that it cannot get. */
async function told<T>({ request }: BuildContext, name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (request.style === 'classic' || !(error instanceof EngineError)) throw error
    const whole = formatReference(withDefaultTag(parseReference(name)))
    const message = `${name}: failed to resolve source metadata for ${whole}: ${error.message}`
    throw new EngineError(error.kind, message, { cause: error })
  }
}

async function findImage(build: BuildContext, name: string, platform: string | undefined): Promise<Image> {
  const { images } = build.context
  if (build.request.pulls) await pull(build, name, platform)
  try {
    return await images.resolve(name, platform)
  } catch (error) {
    if (!isKind(error, 'notFound') || build.request.pulls) throw error
    await pull(build, name, platform)
    return await images.resolve(name, platform)
  }
}

async function pull(
  { context, request, signal }: BuildContext,
  name: string,
  platform: string | undefined,
): Promise<void> {
  const reference = withDefaultTag(parseReference(name))
  const auth = await request.credentials(reference.domain)
  const wanted = { reference: formatReference(reference), signal, ...(platform && { platform }), ...(auth && { auth }) }
  await context.images.pull(wanted, () => {})
}
