import type { ContainerId } from '@berth/base'
import type { Database, Row } from '@berth/database'
import type { Volume } from './volume.ts'

const migrations = [
  `CREATE TABLE volumes (
     name TEXT PRIMARY KEY,
     created_at TEXT NOT NULL,
     definition TEXT NOT NULL,
     made_for TEXT,
     phase TEXT NOT NULL
   ) STRICT`,
]

/**
 * `ready`; `copying`: what it is to hold at first is being brought beside it; `moving`: that is complete, and moves in;
 * `removing`: it is to go.
 */
export type VolumePhase = 'ready' | 'copying' | 'moving' | 'removing'

export interface VolumeRecord extends Omit<Volume, 'mountpoint'> {
  /** The container that it is being made with: it goes when that one does not come to be. */
  readonly madeFor: ContainerId | undefined
  readonly phase: VolumePhase
}

export interface VolumeStore {
  load(): VolumeRecord[]
  insert(record: VolumeRecord): void
  setPhase(name: string, phase: VolumePhase): void
  /** The container comes to be by `record`: its volumes stay, in the same transaction. */
  keep(containerId: ContainerId, record: () => void): void
  remove(name: string): void
}

export function openVolumeStore(database: Database): VolumeStore {
  database.migrate('volumes', migrations)
  const select = database.prepare('SELECT * FROM volumes')
  const insert = database.prepare('INSERT INTO volumes VALUES (?, ?, ?, ?, ?)')
  const setPhase = database.prepare('UPDATE volumes SET phase = ? WHERE name = ?')
  const keep = database.prepare('UPDATE volumes SET made_for = NULL WHERE made_for = ?')
  const remove = database.prepare('DELETE FROM volumes WHERE name = ?')
  return {
    load: () => select.all().map(decode),
    insert: ({ name, createdAt, driver, labels, options, madeFor, phase }) => {
      insert.run(name, createdAt, JSON.stringify({ driver, labels, options }), madeFor ?? null, phase)
    },
    setPhase: (name, phase) => void setPhase.run(phase, name),
    keep: (containerId, record) =>
      database.transaction(() => {
        keep.run(containerId)
        record()
      }),
    remove: (name) => void remove.run(name),
  }
}

function decode(row: Row): VolumeRecord {
  const definition = JSON.parse(String(row['definition'])) as Pick<Volume, 'driver' | 'labels' | 'options'>
  return {
    ...definition,
    name: String(row['name']),
    createdAt: String(row['created_at']),
    madeFor: row['made_for'] === null ? undefined : (String(row['made_for']) as ContainerId),
    phase: String(row['phase']) as VolumePhase,
  }
}
