export type { EngineEvent, EventQuery, Events, EventType } from './events.ts'
