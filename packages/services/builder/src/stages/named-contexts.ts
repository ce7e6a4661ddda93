import type { Dockerfile, Stage } from '@berth/dockerfile'
import { familiarString, formatPlatform, parseReference, type Platform, withDefaultTag } from '@berth/oci'
import type { BuildRequest, NamedContext } from '../builder.ts'
import { changeFileSystem } from '../exec/writable.ts'
import { emptyFileSystem, withLayer } from '../filesystem.ts'
import type { BuildContext } from '../steps/step-context.ts'
import type { StageState } from './stage-state.ts'

type Contexts = BuildRequest['contexts']

/** What stands for a name: as it is written, or as the image's name that it is; `name::platform` for one platform. */
export function findContext(contexts: Contexts, name: string, platform: Platform): NamedContext | undefined {
  if (contexts.size === 0) return undefined
  for (const candidate of candidates(name)) {
    const found = contexts.get(`${candidate}::${formatPlatform(platform)}`) ?? contexts.get(candidate)
    if (found) return found
  }
  return undefined
}

function candidates(name: string): string[] {
  try {
    const familiar = familiarString(withDefaultTag(parseReference(name)))
    return [name, familiar, familiar.replace(/:latest$/, '')]
  } catch {
    return [name, name.toLowerCase()]
  }
}

/** Stages whose names a context takes are nothing but that. */
export function replaceStages(dockerfile: Dockerfile, contexts: Contexts): Dockerfile {
  if (contexts.size === 0) return dockerfile
  const replaced = (stage: Stage): Stage => {
    const { stageName } = stage.from
    if (stageName === '' || !contexts.has(stageName)) return stage
    return { ...stage, from: { ...stage.from, base: stageName }, instructions: [] }
  }
  return { ...dockerfile, stages: dockerfile.stages.map(replaced) }
}

/** The tree as one layer on nothing. */
export async function directoryState(build: BuildContext, root: string, scratch: StageState): Promise<StageState> {
  const { context } = build
  const layer = await changeFileSystem(context, emptyFileSystem, ({ rootPath }) =>
    context.storage.trees.copy({
      root,
      patterns: [''],
      keepsOwner: false,
      excludes: [],
      target: rootPath,
      destination: '/',
      keepsParents: false,
    }),
  )
  return { ...scratch, fileSystem: withLayer(emptyFileSystem, layer) }
}
