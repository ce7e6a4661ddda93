import { newNetworkId, nowText } from '@berth/base'
import type { Database } from '@berth/database'

const migrations = [
  `CREATE TABLE networks (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     driver TEXT NOT NULL,
     created TEXT NOT NULL,
     subnet TEXT
   ) STRICT`,
]

/** The predefined networks; each has its id and date since the engine's first start. */
export interface NetworkRecord {
  readonly id: string
  readonly name: PredefinedName
  readonly driver: string
  readonly created: string
  /** The subnet that the bridge last had. */
  readonly subnet: string | undefined
}

export type PredefinedName = 'bridge' | 'host' | 'none'

const drivers: Record<PredefinedName, string> = { bridge: 'bridge', host: 'host', none: 'null' }
export const predefinedNames = Object.keys(drivers) as PredefinedName[]

export interface NetworkStore {
  get(name: PredefinedName): NetworkRecord
  setSubnet(name: PredefinedName, subnet: string): void
}

/** Opens the table of networks, in which the predefined ones are from the first time on. */
export function openStore(database: Database): NetworkStore {
  database.migrate('networks', migrations)
  const insert = database.prepare('INSERT INTO networks VALUES (?, ?, ?, ?, NULL) ON CONFLICT (name) DO NOTHING')
  database.transaction(() => {
    for (const name of predefinedNames) insert.run(newNetworkId(), name, drivers[name], nowText())
  })
  const select = database.prepare('SELECT id, created, subnet FROM networks WHERE name = ?')
  const update = database.prepare('UPDATE networks SET subnet = ? WHERE name = ?')
  return {
    get(name) {
      const row = select.get(name)
      if (!row) throw new Error(`the network ${name} is not in the state database`)
      const subnet = row['subnet'] === null ? undefined : String(row['subnet'])
      return { id: String(row['id']), name, driver: drivers[name], created: String(row['created']), subnet }
    },
    setSubnet: (name, subnet) => void update.run(subnet, name),
  }
}
