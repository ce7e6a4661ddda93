export { type Api, createApi, type Listener } from './api.ts'
export type { ApiDeps, InfoFacts, System, VersionFacts } from './deps.ts'
export type { ListenTarget, TlsOptions } from './listen.ts'
