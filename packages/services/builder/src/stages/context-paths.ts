import type { StageInstruction } from '@berth/dockerfile'
import { posix } from 'node:path'
import { parseMountText } from '../steps/mount-text.ts'
import { isRemote } from '../steps/remote-sources.ts'
import { planBuild, type StageRequest } from './plan-stages.ts'

/**
 * Paths of the context that a build takes from, clean and without a leading slash, as far as they stand in the Dockerfile
 * itself; patterns are kept. Undefined: the whole of it, or what only variables tell. A base image's ONBUILD may want more.
 */
export function contextPaths(request: StageRequest): readonly string[] | undefined {
  const { needed } = planBuild(request, 'buildkit')
  const paths = needed.flatMap(({ instructions }) => instructions.flatMap(pathsOf)).map(cleanContextPath)
  return paths.some((path) => path === '' || path.includes('$')) ? undefined : [...new Set(paths)]
}

/** As `contextPaths()` has them. */
export const cleanContextPath = (path: string): string => posix.normalize(`/${path}`).replace(/^\/+|\/+$/g, '')

function pathsOf(instruction: StageInstruction): string[] {
  switch (instruction.kind) {
    case 'copy':
      return instruction.from === '' ? [...instruction.sources] : []
    case 'add':
      return instruction.sources.filter((source) => !isRemote(source))
    case 'run':
      return instruction.mounts.flatMap(mountPath)
    default:
      return []
  }
}

function mountPath(text: string): string[] {
  if (text.includes('$')) return [text]
  const { type, from, source } = parseMountText(text)
  return type === 'bind' && from === '' ? [source] : []
}
