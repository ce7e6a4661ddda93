import { invalid, shortId } from '@berth/base'
import type { Container } from '../container.ts'

/** What a log tag may tell of a container. */
export type TagSubject = Pick<Container, 'id' | 'name' | 'imageId' | 'args' | 'config'>

const fields: Readonly<Record<string, (subject: TagSubject) => string>> = {
  ID: ({ id }) => shortId(id),
  FullID: ({ id }) => id,
  Name: ({ name }) => name,
  FullName: ({ name }) => `/${name}`,
  ImageID: ({ imageId }) => shortId(imageId),
  ImageFullID: ({ imageId }) => imageId,
  ImageName: ({ config }) => config.Image,
  Command: ({ args }) => args.join(' '),
  DaemonName: () => 'docker',
}

const placeholder = /\{\{\s*\.(\w+)\s*\}\}/g

/** Throws `invalid` for a tag that is more than text and fields, as `{{.Name}}/{{.ID}}`. */
export function validateTag(tag: string): void {
  const rest = tag.replaceAll(placeholder, (text, name: string) => (Object.hasOwn(fields, name) ? '' : text))
  if (rest.includes('{{') || rest.includes('}}')) {
    throw invalid(`failed to initialize logging driver: invalid log tag ${tag}: use ${Object.keys(fields).join(', ')}`)
  }
}

/** The tag with its fields filled in. */
export function formatTag(tag: string, subject: TagSubject): string {
  return tag.replaceAll(placeholder, (text, name: string) => fields[name]?.(subject) ?? text)
}
