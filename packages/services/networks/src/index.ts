export type { Attachment, AttachRequest, InterfaceCounters, Networks } from './networks.ts'
