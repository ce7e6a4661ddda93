import type { ImageRegistry } from '@berth/testing'

/** The requests about blobs since the request of this index. */
export const blobRequests = (registry: ImageRegistry, since: number): string[] =>
  registry
    .requests()
    .slice(since)
    .filter((line) => line.includes('/blobs/'))
