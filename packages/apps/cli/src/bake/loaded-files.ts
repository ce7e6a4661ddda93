import type { StatusResponse } from '@berth/buildkit-protocol'
import type { BakeFile } from './bake-files.ts'

const digest = 'sha256:bake-definitions'

/** What tells of the definitions that were read, as the first step of what is built. */
export function loadedFiles(files: readonly BakeFile[]): StatusResponse {
  const seconds = BigInt(Math.floor(Date.now() / 1000))
  const now = { seconds, nanos: 0 }
  const vertex = { digest, name: '[internal] load local bake definitions', started: now, completed: now }
  const statuses = files.map(({ name, bytes }) => ({
    id: `reading ${name === '-' ? 'from stdin' : name}`,
    vertex: digest,
    current: BigInt(bytes),
    total: BigInt(bytes),
    timestamp: now,
    started: now,
    completed: now,
  }))
  const status: unknown = {
    vertexes: [{ ...vertex, inputs: [], cached: false, error: '' }],
    statuses: statuses.map((one) => ({ ...one, name: '' })),
    logs: [],
    warnings: [],
  }
  return status as StatusResponse
}
