/** The part of a blob that is sent: bytes `start` to `end`, both included. */
export type RangePlan =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' }

/** What a `Range` header asks of so many bytes (RFC 9110, 14.2); what is no single range of bytes asks for all. */
export function planRange(header: string | undefined, sizeBytes: number): RangePlan {
  const m = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/.exec(header ?? '')
  if (!m) return { kind: 'whole' }
  const [, first, last, suffix] = m
  if (suffix !== undefined) return part(Math.max(0, sizeBytes - Number(suffix)), sizeBytes - 1)
  if (last !== undefined && Number(last) < Number(first)) return { kind: 'whole' }
  return part(Number(first), Math.min(Number(last ?? Infinity), sizeBytes - 1))
}

const part = (start: number, end: number): RangePlan =>
  start > end ? { kind: 'unsatisfiable' } : { kind: 'part', start, end }

/** `START-END` of a chunk that is uploaded (spec.md#pushing-a-blob-in-chunks); undefined when it is something else. */
export function parseContentRange(header: string): { start: number; sizeBytes: number } | undefined {
  const m = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header)
  if (!m || Number(m[2]) < Number(m[1])) return undefined
  return { start: Number(m[1]), sizeBytes: Number(m[2]) - Number(m[1]) + 1 }
}
