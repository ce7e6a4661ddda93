import { after, before } from 'node:test'
import { type BerthRegistry, startBerthRegistry } from '@berth/testing'
import { conformance } from './conformance.ts'
import { RegistryClient } from './registry-client.ts'

let registry: BerthRegistry
before(async () => {
  registry = await startBerthRegistry()
})
after(() => registry?.[Symbol.asyncDispose]())

conformance(() => new RegistryClient(registry.host), { isNewest: true, hasSha512: true })
