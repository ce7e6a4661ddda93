export { createEvents, type EventsOptions } from './create-events.ts'
export { eventFilter } from './event-filter.ts'
export type { EngineEvent, EventQuery, Events, EventType } from './events.ts'
