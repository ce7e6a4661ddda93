import type { ImageSummary } from '@berth/engine-api'
import { shortId } from '../../output/text.ts'
import { ago, goTime, humanSize } from '../../output/units.ts'
import type { View } from '../../output/view.ts'

/** One line of the list: an image under one of its names. */
export interface ImageRow {
  readonly image: ImageSummary
  readonly repository: string
  readonly tag: string
  readonly digest: string
}

const none = '<none>'

/** The columns of images. */
export function imageView(truncate: boolean): View<ImageRow> {
  const unknownSize = (size: number): string => (size === -1 ? 'N/A' : humanSize(size))
  return {
    goType: '*formatter.imageContext',
    raw: {
      repository: 'Repository',
      tag: 'Tag',
      digest: 'Digest',
      image_id: 'ID',
      created_at: 'CreatedAt',
      virtual_size: 'Size',
    },
    columns: {
      ID: { header: 'IMAGE ID', value: ({ image }) => (truncate ? shortId(image.Id) : image.Id) },
      Repository: { header: 'REPOSITORY', value: ({ repository }) => repository },
      Tag: { header: 'TAG', value: ({ tag }) => tag },
      Digest: { header: 'DIGEST', value: ({ digest }) => digest },
      CreatedSince: { header: 'CREATED', value: ({ image }) => ago(image.Created) },
      CreatedAt: { header: 'CREATED AT', value: ({ image }) => goTime(image.Created) },
      Size: { header: 'SIZE', value: ({ image }) => humanSize(image.Size, 3) },
      Containers: {
        header: 'CONTAINERS',
        value: ({ image }) => (image.Containers === -1 ? 'N/A' : String(image.Containers)),
      },
      VirtualSize: { header: 'SIZE', value: ({ image }) => humanSize(image.Size) },
      SharedSize: { header: 'SHARED SIZE', value: ({ image }) => unknownSize(image.SharedSize) },
      UniqueSize: {
        header: 'UNIQUE SIZE',
        value: ({ image }) => (image.SharedSize === -1 ? 'N/A' : humanSize(image.Size - image.SharedSize)),
      },
    },
  }
}

/** A row a tag; with digests, a row a tag and digest; what has neither is a row of nothing. */
export function imageRows(images: readonly ImageSummary[], digests: boolean): ImageRow[] {
  return images.flatMap((image) => {
    const tagged = (image.RepoTags ?? []).filter((name) => name !== `${none}:${none}`)
    const digested = (image.RepoDigests ?? []).filter((name) => name !== `${none}@${none}`)
    if (tagged.length + digested.length === 0) return [{ image, repository: none, tag: none, digest: none }]
    return namedRows(image, { tagged, digested, digests })
  })
}

function namedRows(
  image: ImageSummary,
  names: { tagged: readonly string[]; digested: readonly string[]; digests: boolean },
): ImageRow[] {
  const tags = names.tagged.map((name) => splitLast(name, ':'))
  const digests = names.digested.map((name) => splitLast(name, '@'))
  const rows = tags.flatMap(([repository, tag]) => {
    const own = names.digests ? digests.filter(([name]) => name === repository).map(([, digest]) => digest) : []
    return (own.length > 0 ? own : [none]).map((digest) => ({ image, repository, tag, digest }))
  })
  const bare = digests.filter(([repository]) => !tags.some(([name]) => name === repository))
  const repositories = names.digests ? bare : [...new Map(bare)].map(([repository]) => [repository, ''] as const)
  return [...rows, ...repositories.map(([repository, digest]) => ({ image, repository, tag: none, digest }))]
}

function splitLast(text: string, mark: string): [before: string, after: string] {
  const at = text.lastIndexOf(mark)
  return [text.slice(0, at), text.slice(at + 1)]
}
