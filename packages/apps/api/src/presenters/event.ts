import type { EngineEvent } from '@berth/events'

/** The types whose events repeat their facts in the fields of old. */
const legacyTypes = new Set(['container', 'image'])

/** One line of `GET /events`. The nanoseconds exceed what a number holds, so they are written as text. */
export function encodeEvent(event: EngineEvent): string {
  const { Type, Action, Actor, scope, time, timeNano } = event
  const legacy = legacyTypes.has(Type) ? { status: Action, id: Actor.ID, from: Actor.Attributes['image'] } : {}
  const text = JSON.stringify({ ...legacy, Type, Action, Actor, scope, time })
  return `${text.slice(0, -1)},"timeNano":${timeNano}}\n`
}
