/** What happened to what; `Actor.Attributes` are strings only. */
export interface EngineEvent {
  readonly Type: 'container' | 'image' | 'network' | 'volume' | 'daemon' | 'builder' | 'plugin'
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
  readonly scope: 'local'
  /** Seconds since the epoch. */
  readonly time: number
  readonly timeNano: bigint
}

export type EventType = EngineEvent['Type']

export interface EventQuery {
  /** Nanoseconds since the epoch; past events from the ring are replayed from here. */
  readonly sinceNs?: bigint
  /** The subscription ends at this time, at once when it lies in the past. */
  readonly untilNs?: bigint
  readonly accepts?: (event: EngineEvent) => boolean
}

/** A ring of recent events and the subscriptions to what comes. Announces facts after they were committed. */
export interface Events {
  publish(type: EventType, action: string, id: string, attributes?: Readonly<Record<string, string>>): void
  /**
   * Replays, then follows until `untilNs` or `signal`. A subscriber that does not read is ended when its queue passes
   * a bound: publishing never waits and never grows without end.
   */
  subscribe(query: EventQuery, signal: AbortSignal): AsyncIterable<EngineEvent>
  /** Those who follow now. */
  readonly subscriberCount: number
}
