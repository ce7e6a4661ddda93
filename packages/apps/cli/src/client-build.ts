import { newestApiVersion } from '@berth/engine-client'
import { clientVersion } from './client-version.ts'

/** What docker tells of its client; one without Go shows its JavaScript runtime where docker shows Go. */
export interface ClientBuild {
  readonly Version: string
  readonly DefaultAPIVersion: string
  readonly GitCommit: string
  readonly GoVersion: string
  readonly Os: string
  readonly Arch: string
  readonly BuildTime: string
}

export const describeBuild = (): ClientBuild => ({
  Version: clientVersion,
  DefaultAPIVersion: newestApiVersion,
  GitCommit: '',
  GoVersion: `node ${process.version}`,
  Os: process.platform,
  Arch: goArchitecture(process.arch),
  BuildTime: '',
})

function goArchitecture(arch: string): string {
  const names: Record<string, string> = { x64: 'amd64', ia32: '386' }
  return names[arch] ?? arch
}
