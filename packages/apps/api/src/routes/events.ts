import { invalid } from '@berth/base'
import { decodeFilters, timeParameter } from '@berth/engine-api'
import type { EngineEvent, Events } from '@berth/events'
import type { ApiDeps } from '../deps.ts'
import type { Exchange } from '../exchange.ts'
import { encodeEvent } from '../presenters/event.ts'
import { sendChunks } from '../respond.ts'
import type { Route } from '../router.ts'

interface Deps {
  readonly events: Pick<Events, 'subscribe'>
  readonly eventFilter: ApiDeps['eventFilter']
}

export function eventRoutes(deps: Deps): Route[] {
  return [{ method: 'GET', path: '/events', handler: (exchange) => follow(exchange, deps) }]
}

async function follow(exchange: Exchange, { events, eventFilter }: Deps): Promise<void> {
  const { query, signal } = exchange
  const [sinceNs, untilNs] = [timeParameter(query, 'since'), timeParameter(query, 'until')]
  if (sinceNs !== undefined && untilNs !== undefined && sinceNs > untilNs) {
    throw invalid(`\`since\` time (${query.get('since')}) cannot be after \`until\` time (${query.get('until')})`)
  }
  const accepts = eventFilter(decodeFilters(query.get('filters')))
  const eventQuery = {
    accepts,
    ...(sinceNs === undefined ? {} : { sinceNs }),
    ...(untilNs === undefined ? {} : { untilNs }),
  }
  const subscription = events.subscribe(eventQuery, signal)
  await sendChunks(exchange, lines(subscription), { contentType: 'application/json', headAtOnce: true })
}

async function* lines(events: AsyncIterable<EngineEvent>): AsyncGenerator<string> {
  for await (const event of events) yield encodeEvent(event)
}
