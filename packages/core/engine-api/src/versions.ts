import { invalid } from '@berth/base'

/** The minor number of an Engine API version: 1.44 is 44. */
export type ApiVersion = number

export const oldestVersion: ApiVersion = 24
export const newestVersion: ApiVersion = 51

export const versionText = (version: ApiVersion): string => `1.${version}`

type Span = readonly [from: ApiVersion, until: ApiVersion]

const since = (from: ApiVersion): Span => [from, Infinity]
const before = (until: ApiVersion): Span => [0, until]

/**
 * Everything in which the versions that are served differ, as the engine's own change log and answers show it.
 * Requests are adapted by `adaptCreate`, answers by the presenters; nothing else compares version numbers.
 */
const spans = {
  // requests
  clientRemovesContainers: before(25),
  binaryWebsocketFrames: since(28),
  waitConditions: since(30),
  removalWaitReportsErrors: since(34),
  nonRecursiveBinds: since(40),
  kernelMemoryTcp: since(40),
  privateIpcByDefault: since(40),
  pidsLimitUpdate: since(40),
  oneShotStats: since(41),
  createPlatform: since(41),
  hostCgroupnsByDefault: before(41),
  createMountpoint: since(42),
  kernelMemory: before(42),
  consoleSize: since(42),
  stopSignalParameter: since(42),
  diskUsageTypes: since(42),
  pruneAnonymousVolumes: since(42),
  sharedSizeParameter: since(42),
  annotations: since(43),
  healthStartInterval: since(44),
  recursiveReadOnlyBinds: since(44),
  severalEndpointsAtCreate: since(44),
  containerWideMacAddress: before(44),
  volumeSubpath: since(45),
  pushPlatform: since(46),
  imageManifests: since(47),
  imageMounts: since(48),
  gatewayPriority: since(48),
  networksWithoutIPv4: since(48),
  endpointMacAddress: since(44),
  imagePlatformParameter: since(48),
  imageRemovePlatforms: since(50),

  // answers
  networkListContainers: before(28),
  infoKernelMemory: before(42),
  infoSecurityNames: before(25),
  multiplexedMediaType: since(42),
  noneImageNames: before(43),
  nullRepoDigests: before(43),
  imageVirtualSize: before(44),
  runtimeStatus: since(44),
  imageContainerConfig: before(45),
  shortIdAlias: before(45),
  listAnnotations: since(46),
  infoNondistributable: before(47),
  infoCommitExpected: before(49),
  infoFirewall: since(49),
  infoBridgeNetfilter: before(50),
  fullImageConfig: before(50),
  imageListContainers: since(51),
} satisfies Record<string, Span>

export type Feature = keyof typeof spans

/** Whether the version has the feature (or the old behaviour that the feature names). */
export function has(version: ApiVersion, feature: Feature): boolean {
  const [from, until] = spans[feature]
  return version >= from && version < until
}

/** The version of a path's `1.44`; `invalid` in Docker's words when it is too old or too new. */
export function parseVersion(text: string): ApiVersion {
  const [major = NaN, minor = NaN] = text.split('.').map(Number)
  const oldest = versionText(oldestVersion)
  const newest = versionText(newestVersion)
  if (major < 1 || (major === 1 && minor < oldestVersion)) {
    throw invalid(
      `client version ${text} is too old. Minimum supported API version is ${oldest}, please upgrade your client to a newer version`,
    )
  }
  if (major === 1 && minor <= newestVersion) return minor
  throw invalid(`client version ${text} is too new. Maximum supported API version is ${newest}`)
}
