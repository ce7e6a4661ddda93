/** What berthd says on the socket for descriptors; `put` comes with one. */
export type DescriptorRequest =
  | { readonly op: 'put'; readonly name: string }
  | { readonly op: 'drop'; readonly name: string }
  | { readonly op: 'list' }

/** What `list` is answered with: a packet with a descriptor for each name, and the end. */
export type DescriptorAnswer = { readonly name: string } | { readonly end: true }

const maxNameBytes = 1024

export const encodeDescriptorMessage = (message: DescriptorRequest | DescriptorAnswer): Buffer =>
  Buffer.from(JSON.stringify(message))

/** Undefined: it is no request. */
export function decodeDescriptorRequest(data: Buffer): DescriptorRequest | undefined {
  const { op, name } = parse(data)
  if (op === 'list') return { op }
  if ((op === 'put' || op === 'drop') && isName(name)) return { op, name }
  return undefined
}

/** Undefined: it is no answer. */
export function decodeDescriptorAnswer(data: Buffer): DescriptorAnswer | undefined {
  const { name, end } = parse(data)
  if (end === true) return { end }
  return isName(name) ? { name } : undefined
}

const isName = (name: unknown): name is string =>
  typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= maxNameBytes

function parse(data: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(data.toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
