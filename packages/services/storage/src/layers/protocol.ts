import type { ErrorKind, SocketBytes } from '@berth/base'
import type { SinkName, StreamName, TaskName } from './tasks.ts'

/** What the worker is told. Chunks are sent against credit, one each, whichever way they go. */
export type Request =
  | { readonly kind: 'run'; readonly id: number; readonly name: TaskName; readonly task: unknown }
  | { readonly kind: 'stream'; readonly id: number; readonly name: StreamName; readonly task: unknown }
  | {
      readonly kind: 'sink'
      readonly id: number
      readonly name: SinkName
      readonly task: unknown
      /** Where the bytes are; without it they are sent as `data`. */
      readonly socket?: SocketBytes
    }
  | { readonly kind: 'data'; readonly id: number; readonly chunk: Uint8Array }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'credit'; readonly id: number; readonly chunks: number }
  /** Before any credit: the chunks go to this socket, without credit after the first. */
  | { readonly kind: 'target'; readonly id: number; readonly fd: number }
  | { readonly kind: 'cancel'; readonly id: number }

/** What the worker answers; 'result' and 'failure' end a request. */
export type Answer =
  | { readonly kind: 'wanted'; readonly id: number; readonly chunks: number }
  /** The first chunk for a socket is there and waits for credit. */
  | { readonly kind: 'ready'; readonly id: number }
  | { readonly kind: 'chunk'; readonly id: number; readonly chunk: Uint8Array }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure }

/** An error as it crosses threads, where classes are lost. */
export interface Failure {
  readonly message: string
  readonly errorKind?: ErrorKind
  readonly code?: string
}
