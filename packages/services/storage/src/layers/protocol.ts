import type { ErrorKind } from '@berth/base'
import type { StreamName, TaskName } from './tasks.ts'

/** What the worker is told. A stream's chunks are sent against credit, one each. */
export type Request =
  | { readonly kind: 'run'; readonly id: number; readonly name: TaskName; readonly task: unknown }
  | { readonly kind: 'stream'; readonly id: number; readonly name: StreamName; readonly task: unknown }
  | { readonly kind: 'credit'; readonly id: number; readonly chunks: number }
  | { readonly kind: 'cancel'; readonly id: number }

/** What the worker answers; 'result' and 'failure' end a request. */
export type Answer =
  | { readonly kind: 'chunk'; readonly id: number; readonly chunk: Uint8Array }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure }

/** An error as it crosses threads, where classes are lost. */
export interface Failure {
  readonly message: string
  readonly errorKind?: ErrorKind
  readonly code?: string
}
