import type { ContainerId } from '@berth/base'

/** A volume as it stands. */
export interface Volume {
  readonly name: string
  readonly driver: string
  /** RFC 3339, seconds. */
  readonly createdAt: string
  /** As given; null when none were. */
  readonly labels: Readonly<Record<string, string>> | null
  /** What the driver was told; null when nothing was. */
  readonly options: Readonly<Record<string, string>> | null
  /** The directory with its files. */
  readonly mountpoint: string
}

/** A decoded `POST /volumes/create`, or what a container asks for. */
export interface VolumeRequest {
  /** '' makes an anonymous one. */
  readonly name: string
  /** '' is local. */
  readonly driver: string
  readonly labels: Readonly<Record<string, string>> | null
  readonly options: Readonly<Record<string, string>> | null
}

/** Which container has which volume; told by the containers, asked before anything is removed. */
export interface VolumeUse {
  readonly volume: string
  readonly containerId: ContainerId
}

/** The label that tells anonymous volumes; prune takes these only, unless told otherwise. */
export const anonymousLabel = 'com.docker.volume.anonymous'

/** Whether nobody gave it a name. */
export const isAnonymous = ({ labels }: Pick<Volume, 'labels'>): boolean =>
  labels !== null && Object.hasOwn(labels, anonymousLabel)
