export type {
  BuildEvent,
  Builder,
  BuildOutcome,
  BuildProgress,
  BuildRequest,
  BuildResult,
  BuildSession,
  BuildStep,
  CacheRecord,
  Entitlement,
  ImageOptions,
  Material,
  NamedContext,
  PruneRule,
  ReceivedContext,
  RunSettings,
} from './builder.ts'
export type { BuildRecord } from './records/build-records.ts'
export { cleanContextPath, contextPaths } from './stages/context-paths.ts'
export { planBuild, type StageRequest } from './stages/plan-stages.ts'
export { type MountText, parseMountText } from './steps/mount-text.ts'
export type { RunDefaults } from './context.ts'
export type { CacheSource, CacheStore } from './cache/transfer/cache-store.ts'
export { exportCache } from './cache/transfer/export-cache.ts'
export { importCache } from './cache/transfer/import-cache.ts'
export { registryStore } from './cache/transfer/registry-store.ts'
export { checkOutGit } from './context/git.ts'
export { type BuilderOptions, openBuilder, type OpenBuilder } from './open-builder.ts'
export { joinTars, type TarPart } from './export/join-tars.ts'
export { RunFailedError } from './run-failed-error.ts'
