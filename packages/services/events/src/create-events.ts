import { nowNs } from '@berth/base'
import type { EngineEvent, EventQuery, Events } from './events.ts'
import { Subscription } from './subscription.ts'

export interface EventsOptions {
  /** How many past events are kept for replay; Docker's 256 by default. */
  readonly ringSize?: number
  /** How many events may wait for a reader before it is dropped. */
  readonly queueSize?: number
  /** Nanoseconds since the epoch. */
  readonly now?: () => bigint
}

export function createEvents(options: EventsOptions = {}): Events {
  const { ringSize = 256, queueSize = 4096, now = nowNs } = options
  const ring: EngineEvent[] = []
  const subscriptions = new Set<Subscription>()
  return {
    publish(type, action, id, attributes = {}) {
      const timeNano = now()
      const time = Number(timeNano / 1_000_000_000n)
      const event = {
        Type: type,
        Action: action,
        Actor: { ID: id, Attributes: attributes },
        scope: 'local',
        time,
        timeNano,
      } as const
      ring.push(event)
      if (ring.length > ringSize) ring.shift()
      for (const subscription of subscriptions) subscription.offer(event)
    },
    subscribe(query, signal) {
      const subscription = new Subscription(query, queueSize, () => subscriptions.delete(subscription))
      subscriptions.add(subscription)
      for (const event of replay(ring, query)) subscription.offer(event)
      endAt(subscription, query.untilNs, now, signal)
      return subscription
    },
    get subscriberCount() {
      return subscriptions.size
    },
  }
}

/** The past is told when either bound is given; without them a subscriber hears only what comes. */
function replay(ring: readonly EngineEvent[], { sinceNs, untilNs }: EventQuery): EngineEvent[] {
  if (sinceNs === undefined && untilNs === undefined) return []
  return ring.filter(({ timeNano }) => timeNano >= (sinceNs ?? 0n) && (untilNs === undefined || timeNano <= untilNs))
}

const maxTimeoutMs = 0x7fffffffn

/** Ends `subscription` at `untilNs` or when `signal` fires, whichever is first. */
function endAt(subscription: Subscription, untilNs: bigint | undefined, now: () => bigint, signal: AbortSignal): void {
  const end = () => subscription.end()
  if (signal.aborted) return end()
  signal.addEventListener('abort', end, { once: true })
  subscription.onEnd(() => signal.removeEventListener('abort', end))
  if (untilNs === undefined) return
  let timer: NodeJS.Timeout | undefined
  const wait = () => {
    const leftMs = (untilNs - now() + 999_999n) / 1_000_000n
    if (leftMs <= 0n) return end()
    timer = setTimeout(wait, Number(leftMs < maxTimeoutMs ? leftMs : maxTimeoutMs))
  }
  subscription.onEnd(() => clearTimeout(timer))
  wait()
}
