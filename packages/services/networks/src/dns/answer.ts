import {
  addressData,
  addressOfReverseName,
  type Answer,
  nameData,
  type Query,
  recordTypes,
  responseCodes,
} from './message.ts'
import type { DnsNames } from './names.ts'

export interface AnswerContext {
  readonly names: DnsNames
  readonly sandboxId: string
  /** It is in a network that leads outside. */
  readonly forwards: boolean
  /** The user has asked for search domains to be tried first: its address is not asked of others' servers. */
  readonly hasNdots: boolean
}

/** Answers what the engine knows. `forward`: the question is for the outside. */
export function answerQuery(query: Query, context: AnswerContext): Answer | 'forward' {
  const own = query.isInternet ? answerOwn(query, context) : undefined
  if (own) return own
  const asksAddress = query.type === recordTypes.A || query.type === recordTypes.AAAA
  // As dockerd: not that there is no such name, which may have other records outside.
  if (context.hasNdots && asksAddress && !query.name.includes('.')) return { code: responseCodes.ok, records: [] }
  if (!context.forwards) return { code: responseCodes.serverFailure, records: [] }
  return 'forward'
}

/** A name of the engine's has no records but addresses: asking elsewhere for others would say that there is none. */
function answerOwn({ name, type }: Query, { names, sandboxId }: AnswerContext): Answer | undefined {
  if (type === recordTypes.PTR) return answerPointer(name, { names, sandboxId })
  const found = names.resolve(sandboxId, name)
  if (!found) return undefined
  const addresses = type === recordTypes.A ? found.ipv4 : type === recordTypes.AAAA ? found.ipv6 : []
  return { code: responseCodes.ok, records: shuffled(addresses).map(addressData) }
}

function answerPointer(
  name: string,
  { names, sandboxId }: Pick<AnswerContext, 'names' | 'sandboxId'>,
): Answer | undefined {
  const address = addressOfReverseName(name)
  const target = address === undefined ? undefined : names.reverse(sandboxId, address)
  const data = target === undefined ? undefined : nameData(target)
  return data && { code: responseCodes.ok, records: [data] }
}

/** So that the load on several containers of one name spreads. */
function shuffled<T>(items: readonly T[]): T[] {
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[result[last], result[other]] = [result[other] as T, result[last] as T]
  }
  return result
}
