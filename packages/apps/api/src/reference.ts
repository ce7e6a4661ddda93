import { invalid } from '@berth/base'

/** `repo:tag` of the two parameters that name an image; undefined without a repository. */
export function imageReference(repository: string | null, tag: string | null): string | undefined {
  if (!repository) return undefined
  if (repository.includes('@')) throw invalid('cannot create a tag from a digest reference')
  if (!tag) return repository
  if (!validTag.test(tag)) throw invalid('invalid tag format')
  return `${withoutTag(repository)}:${tag}`
}

const validTag = /^\w[\w.-]{0,127}$/

/** The tag of its own parameter wins; a port stands before a slash. */
const withoutTag = (repository: string): string => repository.replace(/:[^/]*$/, '')
