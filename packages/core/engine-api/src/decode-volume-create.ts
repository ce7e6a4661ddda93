import { decode, map, optional, string, struct } from './schema.ts'

interface VolumeCreateBody {
  readonly Name: string
  readonly Driver: string
  readonly DriverOpts: Record<string, string> | null
  readonly Labels: Record<string, string> | null
  readonly ClusterVolumeSpec: object | undefined
}

const createBody = struct<VolumeCreateBody>('volume.CreateOptions', {
  Name: string,
  Driver: string,
  DriverOpts: map(string),
  Labels: map(string),
  ClusterVolumeSpec: optional(struct<object>('volume.ClusterVolumeSpec', {})),
})

/** A decoded `POST /volumes/create`. */
export interface VolumeCreateRequest {
  /** '' makes an anonymous one. */
  readonly name: string
  /** '' is local. */
  readonly driver: string
  readonly options: Record<string, string> | null
  readonly labels: Record<string, string> | null
  /** A volume of a swarm is asked for. */
  readonly isCluster: boolean
}

/** The body of `POST /volumes/create`; an empty one asks for an anonymous volume. */
export function decodeVolumeCreate(body: unknown): VolumeCreateRequest {
  const { Name, Driver, DriverOpts, Labels, ClusterVolumeSpec } = decode(createBody, body ?? null, 'CreateOptions')
  const isCluster = ClusterVolumeSpec !== undefined
  return { name: Name, driver: Driver, options: DriverOpts, labels: Labels, isCluster }
}
