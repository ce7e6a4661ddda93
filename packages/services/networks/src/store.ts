import { newNetworkId, nowText } from '@berth/base'
import type { Database, Row } from '@berth/database'
import { type NetworkRecord, type PredefinedName, predefinedDrivers } from './model.ts'

const migrations = [
  `CREATE TABLE networks (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     driver TEXT NOT NULL,
     created TEXT NOT NULL,
     subnet TEXT
   ) STRICT`,
  // The definition is the rest of the record as JSON; of the predefined networks it follows from the configuration.
  `ALTER TABLE networks ADD COLUMN definition TEXT NOT NULL DEFAULT '{}'`,
  'ALTER TABLE networks ADD COLUMN half_made INTEGER NOT NULL DEFAULT 0',
]

/** A predefined network: its id and date since the engine's first start. */
export interface Predefined {
  readonly id: NetworkRecord['id']
  readonly created: string
  /** The subnet that the default bridge last had. */
  readonly subnet: string | undefined
}

export interface NetworkStore {
  predefined(name: PredefinedName): Predefined
  setSubnet(name: PredefinedName, subnet: string): void
  /** The networks that users made, oldest first. What is half made a killed engine was making or removing. */
  load(): { readonly whole: NetworkRecord[]; readonly halfMade: NetworkRecord[] }
  insert(record: NetworkRecord, options: { readonly isHalfMade: boolean }): void
  finish(id: NetworkRecord['id']): void
  markHalfMade(id: NetworkRecord['id']): void
  remove(id: NetworkRecord['id']): void
}

/** Opens the table of networks, in which the predefined ones are from the first time on. */
export function openStore(database: Database): NetworkStore {
  database.migrate('networks', migrations)
  const insert = database.prepare(
    'INSERT INTO networks (id, name, driver, created, definition, half_made) VALUES (?, ?, ?, ?, ?, ?) ' +
      'ON CONFLICT (name) DO NOTHING',
  )
  const names = Object.keys(predefinedDrivers) as PredefinedName[]
  database.transaction(() => {
    for (const name of names) insert.run(newNetworkId(), name, predefinedDrivers[name], nowText(), '{}', 0)
  })
  const select = database.prepare('SELECT id, created, subnet FROM networks WHERE name = ?')
  const update = database.prepare('UPDATE networks SET subnet = ? WHERE name = ?')
  const all = database.prepare("SELECT * FROM networks WHERE name NOT IN ('bridge', 'host', 'none') ORDER BY created")
  const mark = database.prepare('UPDATE networks SET half_made = ? WHERE id = ?')
  const remove = database.prepare('DELETE FROM networks WHERE id = ?')
  return {
    predefined(name) {
      const row = select.get(name)
      if (!row) throw new Error(`the network ${name} is not in the state database`)
      const subnet = row['subnet'] === null ? undefined : String(row['subnet'])
      return { id: String(row['id']) as NetworkRecord['id'], created: String(row['created']), subnet }
    },
    setSubnet: (name, subnet) => void update.run(subnet, name),
    load() {
      const rows = all.all()
      const those = (isHalfMade: boolean) =>
        rows.filter((row) => Boolean(row['half_made']) === isHalfMade).map(decodeRow)
      return { whole: those(false), halfMade: those(true) }
    },
    finish: (id) => void mark.run(0, id),
    markHalfMade: (id) => void mark.run(1, id),
    insert({ id, name, driver, created, ...rest }, { isHalfMade }) {
      const { changes } = insert.run(id, name, driver, created, JSON.stringify(rest), isHalfMade ? 1 : 0)
      if (changes !== 1) throw new Error(`a network ${name} is in the state database already`)
    },
    remove: (id) => void remove.run(id),
  }
}

function decodeRow(row: Row): NetworkRecord {
  const rest = JSON.parse(String(row['definition'])) as Omit<NetworkRecord, 'id' | 'name' | 'driver' | 'created'>
  const text = (column: string) => String(row[column])
  return {
    ...rest,
    id: text('id') as NetworkRecord['id'],
    name: text('name'),
    driver: text('driver'),
    created: text('created'),
  }
}
