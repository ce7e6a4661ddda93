import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { IncomingHttpHeaders } from 'node:http2'
import { RpcStatusSchema } from '../../generated/common_pb.ts'
import { type ErrorDetail, GrpcError } from './error.ts'

/** The trailers of a call: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses */
export function statusTrailers({ code, message, details }: Pick<GrpcError, 'code' | 'message' | 'details'>) {
  return {
    'grpc-status': String(code),
    ...(message !== '' && { 'grpc-message': percentEncode(message) }),
    ...(details.length > 0 && { 'grpc-status-details-bin': statusBytes({ code, message, details }) }),
  }
}

function statusBytes({ code, message, details }: Pick<GrpcError, 'code' | 'message' | 'details'>): string {
  const status = create(RpcStatusSchema, {
    code,
    message,
    details: details.map(({ typeUrl, value }) => ({ typeUrl, value })),
  })
  return Buffer.from(toBinary(RpcStatusSchema, status)).toString('base64').replace(/=+$/, '')
}

/** The status that headers or trailers carry: undefined without one, null for success. */
export function readStatus(headers: IncomingHttpHeaders): GrpcError | null | undefined {
  const status = headers['grpc-status']
  if (status === undefined) return undefined
  if (status === '0') return null
  return new GrpcError(Number(status) || 2, percentDecode(String(headers['grpc-message'] ?? '')), readDetails(headers))
}

function readDetails(headers: IncomingHttpHeaders): ErrorDetail[] {
  const bytes = headers['grpc-status-details-bin']
  if (typeof bytes !== 'string') return []
  try {
    const { details } = fromBinary(RpcStatusSchema, Buffer.from(bytes, 'base64'))
    return details.map(({ typeUrl, value }) => ({ typeUrl, value }))
  } catch {
    // They only explain.
    return []
  }
}

/** Everything but printable ASCII, and the percent sign. */
const percentEncode = (text: string): string =>
  text.replace(/[^\u0020-\u0024\u0026-\u007E]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
