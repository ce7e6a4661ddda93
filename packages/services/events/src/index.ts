export { createEvents, type EventsOptions } from './create-events.ts'
export { eventFilter, type EventFilters } from './event-filter.ts'
export type { EngineEvent, EventQuery, Events, EventType } from './events.ts'
