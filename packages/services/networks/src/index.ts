export type { Attachment, AttachRequest, InterfaceCounters, Networks } from './networks.ts'
export { type NetworksOptions, openNetworks } from './open-networks.ts'
