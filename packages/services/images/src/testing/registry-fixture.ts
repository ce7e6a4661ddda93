import { createRegistries, defaultSettings, type RegistrySettings } from '@berth/registry'
import { filesBelow, type HostileRegistry, type HostileRegistryOptions, openHostileRegistry } from '@berth/testing'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { ImagesOptions } from '../open-images.ts'
import type { PullRequest } from '../pull/pull-image.ts'
import type { PushRequest } from '../push/push-image.ts'
import { setUp } from './fixture.ts'

/** Nobody waits long in a test. */
const timeouts = { readAnswerMs: 2000, answerMs: 2000, stallMs: 400, documentMs: 2000, retryMs: 5, longestRetryMs: 100 }

export interface RegistryFixtureOptions {
  /** What a body must not stop for, in milliseconds: short where it stops on purpose. */
  readonly stallMs?: number
  readonly settings?: Partial<RegistrySettings>
  readonly registry?: HostileRegistryOptions
  readonly images?: Pick<ImagesOptions, 'gate' | 'concurrency'>
}

/** An image service and a registry that does what it is told, good or bad. */
export async function setUpRegistry(t: TestContext, options: RegistryFixtureOptions = {}) {
  const registries = createRegistries({
    ...defaultSettings,
    timeouts: { ...timeouts, stallMs: options.stallMs ?? timeouts.stallMs },
    attempts: 3,
    ...options.settings,
  })
  const registry = await openHostileRegistry(options.registry)
  const fixture = await setUp(t, { registries, ...options.images })
  t.after(async () => {
    registries[Symbol.dispose]()
    await registry[Symbol.asyncDispose]()
  })
  return {
    ...fixture,
    registries,
    registry,
    /** Pulls `name` from the registry; returns what the stream said. */
    pull: (name: string, request: Partial<PullRequest> = {}, heard: (message: Message) => void = () => {}) =>
      said((progress) => {
        const both = (message: Message) => {
          progress(message)
          heard(message)
        }
        return fixture.images.pull({ reference: `${registry.host}/${name}`, ...request }, both)
      }),
    push: (name: string, request: Partial<PushRequest> = {}) =>
      said((progress) => fixture.images.push({ reference: `${registry.host}/${name}`, ...request }, progress)),
    /** What there is of images, blobs, snapshots and half things. */
    left: async () => {
      await fixture.images[Symbol.asyncDispose]()
      return {
        images: (await fixture.images.list({ all: true })).length,
        files: filesBelow(join(fixture.root, 'content')),
        snapshots: fixture.snapshots.listCommitted(),
      }
    },
    blobRequests: () => blobsAsked(registry),
  }
}

export type Message = Readonly<Record<string, unknown>>

async function said(work: (progress: (message: Message) => void) => Promise<void>): Promise<Message[]> {
  const messages: Message[] = []
  await work((message) => messages.push(message))
  return messages
}

/** The digests that were fetched, with their ranges. */
const blobsAsked = ({ requests }: HostileRegistry): string[] =>
  requests.flatMap(({ method, url, range }) => {
    const digest = /\/blobs\/(sha256:[0-9a-f]+)$/.exec(url)?.[1]
    return method === 'GET' && digest !== undefined ? [range === undefined ? digest : `${digest} ${range}`] : []
  })

export const nothingLeft = { images: 0, files: [], snapshots: [] }
