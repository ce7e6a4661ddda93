import type { ContainerId } from '@berth/base'
import type { Database, Row } from '@berth/database'
import type { Container } from './container.ts'

const migrations = [
  `CREATE TABLE containers (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     created_at TEXT NOT NULL,
     definition TEXT NOT NULL,
     state TEXT NOT NULL
   ) STRICT`,
]

/** What changes while a container lives; the rest of it is its definition. */
const stateKeys = ['state', 'restartCount', 'endpoints', 'stoppedByUser', 'hasBeenStarted'] as const
type StateKey = (typeof stateKeys)[number]

/** A row of another release, or damaged: its container is left alone until somebody mends it. */
export interface UnreadableRow {
  readonly id: ContainerId
  readonly name: string
  readonly error: string
}

/** The containers' table. Transitions rewrite only the small state column. */
export interface ContainerStore {
  load(): { readonly containers: Container[]; readonly unreadable: readonly UnreadableRow[] }
  insert(container: Container): void
  saveState(container: Container): void
  saveDefinition(container: Container): void
  remove(id: string): void
}

export function openContainerStore(database: Database): ContainerStore {
  database.migrate('containers', migrations)
  const select = database.prepare('SELECT id, name, definition, state FROM containers ORDER BY created_at')
  const insert = database.prepare('INSERT INTO containers VALUES (?, ?, ?, ?, ?)')
  const updateState = database.prepare('UPDATE containers SET state = ? WHERE id = ?')
  const updateAll = database.prepare('UPDATE containers SET name = ?, definition = ?, state = ? WHERE id = ?')
  const remove = database.prepare('DELETE FROM containers WHERE id = ?')
  return {
    load: () => decodeRows(select.all()),
    insert: (container) => {
      const { definition, state } = encode(container)
      insert.run(container.id, container.name, container.createdAt, definition, state)
    },
    saveState: (container) => void updateState.run(encodeState(container), container.id),
    saveDefinition: (container) => {
      const { definition, state } = encode(container)
      updateAll.run(container.name, definition, state, container.id)
    },
    remove: (id) => void remove.run(id),
  }
}

function encode(container: Container): { definition: string; state: string } {
  const rest: Partial<Container> = { ...container }
  for (const key of [...stateKeys, 'id', 'name', 'execIds'] as const) delete rest[key]
  return { definition: JSON.stringify(rest), state: encodeState(container) }
}

function encodeState(container: Container): string {
  return JSON.stringify(Object.fromEntries(stateKeys.map((key: StateKey) => [key, container[key]])))
}

function decodeRows(rows: readonly Row[]): ReturnType<ContainerStore['load']> {
  const containers: Container[] = []
  const unreadable: UnreadableRow[] = []
  for (const row of rows) {
    try {
      containers.push(decode(row))
    } catch (error) {
      unreadable.push({ id: row['id'] as ContainerId, name: String(row['name']), error: String(error) })
    }
  }
  return { containers, unreadable }
}

function decode(row: Row): Container {
  const definition = JSON.parse(String(row['definition'])) as Omit<Container, StateKey | 'id' | 'name' | 'execIds'>
  const state = JSON.parse(String(row['state'])) as Pick<Container, StateKey>
  for (const key of stateKeys) if (state[key] === undefined) throw new Error(`state column lacks ${key}`)
  if (definition.config === undefined || definition.hostConfig === undefined)
    throw new Error('definition is incomplete')
  return { ...definition, ...state, id: row['id'] as Container['id'], name: String(row['name']), execIds: [] }
}
