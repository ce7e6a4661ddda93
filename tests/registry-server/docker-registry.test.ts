import { after, before } from 'node:test'
import { besideTheTest, type DockerRegistry, freePort, startDockerRegistry } from '@berth/testing'
import { conformance } from './conformance.ts'
import { RegistryClient } from './registry-client.ts'

// What another registry fails is a wrong test.
let registry: DockerRegistry
before(async () => {
  registry = await startDockerRegistry(besideTheTest, { port: await freePort() })
})
after(() => registry?.[Symbol.asyncDispose]())

conformance(() => new RegistryClient(registry.host), { isNewest: false, hasSha512: false })
