import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { createHash } from 'node:crypto'
import { type Definition, type DefinitionSchema, OpSchema } from '@berth/buildkit-protocol'

const scheme = 'berth-outcome://'

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/**
 * An outcome as a graph of BuildKit's, which a client hands on as the input of another build: a source that only this
 * engine knows, and the operation that stands for its result.
 */
export function definitionOf(id: string): MessageInitShape<typeof DefinitionSchema> {
  const source = toBinary(OpSchema, create(OpSchema, { source: { identifier: scheme + id, attrs: {} } }))
  const head = toBinary(OpSchema, create(OpSchema, { inputs: [{ digest: digestOf(source), index: 0n }] }))
  return {
    def: [source, head],
    metadata: { [digestOf(source)]: { caps: { 'source.image': true } }, [digestOf(head)]: { caps: {} } },
  }
}

/** The outcome that a graph stands for; undefined when it is none of ours. */
export function outcomeIdOf(definition: Definition): string | undefined {
  for (const bytes of definition.def) {
    const identifier = identifierOf(bytes)
    if (identifier?.startsWith(scheme)) return identifier.slice(scheme.length)
  }
  return undefined
}

function identifierOf(bytes: Uint8Array): string | undefined {
  try {
    return fromBinary(OpSchema, bytes).source?.identifier
  } catch {
    return undefined
  }
}
