export { type OwnedVolumes, openVolumes, type VolumesOptions } from './open-volumes.ts'
export { requireVolumeName } from './volume-name.ts'
export { anonymousLabel, isAnonymous, type Volume, type VolumeRequest, type VolumeUse } from './volume.ts'
export type { Fill, FillResult, MountDetails, LentVolume, Volumes } from './volumes.ts'
