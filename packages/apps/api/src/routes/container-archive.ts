import { formatTimeNs, invalid, zeroTime } from '@berth/base'
import type { Containers } from '@berth/containers'
import { boolParameter } from '@berth/engine-api'
import type { Exchange } from '../exchange.ts'
import { sendChunks, sendEmpty } from '../respond.ts'
import type { Route } from '../router.ts'
import { upload } from '../upload.ts'

interface Deps {
  readonly containers: Pick<Containers, 'statPath' | 'readArchive' | 'writeArchive'>
}

type PathStatus = Awaited<ReturnType<Containers['statPath']>>

/** Copying files into and out of containers. */
export function containerArchiveRoutes({ containers }: Deps): Route[] {
  const path = '/containers/:name/archive'
  return [
    { method: 'HEAD', path, handler: (exchange) => stat(exchange, containers) },
    { method: 'GET', path, handler: (exchange) => read(exchange, containers) },
    { method: 'PUT', path, leavesBody: true, handler: (exchange) => write(exchange, containers) },
  ]
}

function pathOf({ query }: Exchange): string {
  const path = query.get('path')
  if (!path) throw invalid('bad parameter: path cannot be empty')
  return path
}

async function stat(exchange: Exchange, containers: Pick<Containers, 'statPath'>): Promise<void> {
  setStatus(exchange, await containers.statPath(exchange.param('name'), pathOf(exchange)))
  sendEmpty(exchange, 200)
}

async function read(exchange: Exchange, containers: Pick<Containers, 'readArchive'>): Promise<void> {
  const { status, archive } = await containers.readArchive(exchange.param('name'), pathOf(exchange))
  setStatus(exchange, status)
  await sendChunks(exchange, archive, { contentType: 'application/x-tar' })
}

async function write(exchange: Exchange, containers: Pick<Containers, 'writeArchive'>): Promise<void> {
  const path = pathOf(exchange)
  const { query } = exchange
  using source = upload(exchange)
  await containers.writeArchive(
    exchange.param('name'),
    { path, source },
    {
      copyUidGid: boolParameter(query, 'copyUIDGID'),
      noOverwriteDirNonDir: boolParameter(query, 'noOverwriteDirNonDir'),
    },
  )
  sendEmpty(exchange, 200)
}

function setStatus({ response }: Exchange, status: PathStatus): void {
  const { name, sizeBytes, goMode, linkTarget } = status
  const names = { name: name.toWellFormed(), linkTarget: linkTarget.toWellFormed() }
  const text = JSON.stringify({ ...names, size: sizeBytes, mode: goMode, mtime: timeText(status.mtimeNs) })
  response.setHeader('X-Docker-Container-Path-Stat', Buffer.from(text).toString('base64'))
}

// What Go prints as a time: the years 0 to 9999. A file may claim any other.
const firstNs = -62_167_219_200n * 1_000_000_000n
const lastNs = 253_402_300_799n * 1_000_000_000n

function timeText(ns: bigint): string {
  if (ns < firstNs || ns > lastNs) return zeroTime
  return formatTimeNs(ns < 0n ? (ns / 1_000_000_000n) * 1_000_000_000n : ns)
}
