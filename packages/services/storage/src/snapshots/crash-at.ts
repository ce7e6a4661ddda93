// Run by snapshots.kernel.test.ts: works on snapshots and dies at a named point.
import { silentLogger } from '@berth/base'
import { openDatabase } from '@berth/database'
import { openSnapshots } from './open-snapshots.ts'

const [root = '', databasePath = '', layer = '', point = ''] = process.argv.slice(2)
const fault = (at: string) => {
  if (at === point) process.kill(process.pid, 'SIGKILL')
}
const snapshots = openSnapshots({ root, database: openDatabase(databasePath), logger: silentLogger, fault })
const { chainId } = await snapshots.unpack(undefined, { path: layer })
await snapshots.prepare('k', chainId)
await snapshots.remove('k')
