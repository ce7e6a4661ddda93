import { type Filters, invalid, matchesLabels } from '@berth/base'
import { familiarName, parseReference } from '@berth/oci'
import type { EngineEvent } from './events.ts'

type Accepts = (event: EngineEvent) => boolean

/** Filters that name the thing an event is about, by its id or name or a prefix of either. */
const actorKeys = ['daemon', 'container', 'plugin', 'volume', 'network', 'node', 'service', 'secret', 'config']

/** These actions carry an argument after a colon (`exec_start: sh`), so they are matched by prefix. */
const prefixActions = ['health_status', 'exec_create', 'exec_start']

/**
 * Compiles Docker's event filters: the values of one name are alternatives (all must hold for `label`), the names are
 * all required. Throws `invalid` for an unknown name.
 */
export function eventFilter(filters: Filters): Accepts {
  const all = Object.entries(filters)
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => compile(name, values))
  return (event) => all.every((accepts) => accepts(event))
}

function compile(name: string, values: readonly string[]): Accepts {
  if (actorKeys.includes(name)) {
    return ({ Actor }) => hasPrefix(values, Actor.ID) || hasPrefix(values, Actor.Attributes['name'] ?? '')
  }
  switch (name) {
    case 'type':
      return ({ Type }) => values.includes(Type)
    case 'scope':
      return ({ scope }) => values.includes(scope)
    case 'event':
      return matchAction(values)
    case 'image':
      return matchImage(values)
    case 'label':
      return ({ Actor }) => matchesLabels(Actor.Attributes, values)
    default:
      throw invalid(`invalid filter '${name}'`)
  }
}

const hasPrefix = (values: readonly string[], text: string): boolean => values.some((value) => text.startsWith(value))

function matchAction(values: readonly string[]): Accepts {
  const byPrefix = values.some((value) => prefixActions.includes(value))
  return ({ Action }) => (byPrefix ? hasPrefix(values, Action) : values.includes(Action))
}

/** An image is named by its id or name in its own events, by the attribute `image` in those of containers. */
function matchImage(values: readonly string[]): Accepts {
  return ({ Type, Actor }) => {
    const name = Actor.Attributes[Type === 'image' ? 'name' : 'image'] ?? ''
    return [Actor.ID, name].some((text) => values.includes(text) || values.includes(withoutTag(text)))
  }
}

function withoutTag(image: string): string {
  try {
    return familiarName(parseReference(image))
  } catch {
    return image
  }
}
