export { readTar, tarEntry, type TarEntry, type TarSource, writeTar } from '@berth/archive'
export {
  type BerthRegistry,
  type BerthRegistryOptions,
  besideTheTest,
  freePort,
  startBerthRegistry,
} from './berth-registry.ts'
export { command, type CommandOptions, type CommandResult } from './command.ts'
export { type DaemonOptions, startDaemon, type TestDaemon } from './daemon.ts'
export {
  type DockerRegistry,
  type DockerRegistryOptions,
  filesBelow,
  startDockerRegistry,
  type StoredDocument,
  type StoredImage,
} from './docker-registry.ts'
export { demultiplex, EngineApi, type EngineAnswer, type RequestExtras } from './engine-api.ts'
export { type HostState, leaksSince, mountPoints, mountsSince, readHostState, sandboxVariable } from './host-state.ts'
export { readInventory, restored } from './inventory.ts'
export { createSandbox, isInside, type Sandbox } from './sandbox.ts'
export { Cli, type CliProgram, type TerminalKeys } from './cli.ts'
export { type EngineOptions, loadFixture, type TestEngine, useEngine } from './engine.ts'
export { fixtureImage, type FixtureName } from './fixtures/fixtures.ts'
export { helloProgram } from './fixtures/hello-world.ts'
export { type FixtureFile, type FixtureImage, imageArchive, layerOf, packTar, pinnedSeconds } from './fixtures/image.ts'
export { addNamedAddress } from './named-address.ts'
export { connectNeighbour, type Neighbour, neighbourhood, runInside } from './neighbour.ts'
export { Terminal, type TerminalOptions } from './terminal.ts'
export { pinnedNetns } from './pinned-netns.ts'
export { pythonWithDocker } from './python.ts'
export { requireSound } from './require-sound.ts'
export { until } from './until.ts'
export { authority, clientCertificate, clientKey, serverCertificate, serverKey } from './certificates.ts'
export { type ForwardProxy, type ForwardProxyOptions, startForwardProxy } from './registry/forward-proxy.ts'
export {
  type HostileRegistry,
  type HostileRegistryOptions,
  openHostileRegistry,
  type RecordedRequest,
} from './registry/hostile-registry.ts'
export {
  htmlPage,
  type Misbehaviour,
  type MisbehaviourRule,
  schema1Manifest,
  tooManyRequests,
} from './registry/misbehaviour.ts'
export type { RegistryAuth } from './registry/registry-access.ts'
export type { BlobDescriptor, RegistryContent } from './registry/registry-content.ts'
export type { AddedImage, RegistryImage } from './registry/registry-image.ts'
export { imageRegistries, type ImageRegistry, type ImageRegistryOptions } from './image-registries.ts'
export { type CgroupLayout, type MachineOptions, runInMachine } from './vm/machine.ts'
