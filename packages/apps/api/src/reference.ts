import { invalid } from '@berth/base'

/** `repo:tag` of the two parameters that name an image; undefined without a repository. */
export function imageReference(repository: string | null, tag: string | null): string | undefined {
  if (!repository) return undefined
  if (repository.includes('@')) throw invalid('cannot create a tag from a digest reference')
  return tag ? `${repository}:${tag}` : repository
}
