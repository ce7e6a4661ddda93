/** Status codes that are used here: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
export const grpcCode = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const

/** A google.protobuf.Any that goes along with a status. */
export interface ErrorDetail {
  readonly typeUrl: string
  readonly value: Uint8Array
}

/** How a call ends that does not succeed. */
export class GrpcError extends Error {
  readonly code: number
  readonly details: readonly ErrorDetail[]

  constructor(code: number, message: string, details: readonly ErrorDetail[] = []) {
    super(message)
    this.code = code
    this.details = details
  }
}
