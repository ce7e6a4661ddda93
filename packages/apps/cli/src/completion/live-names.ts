import type { Cli } from '../cli.ts'
import { listContexts } from '../context/context-store.ts'
import type { Candidate } from './complete.ts'
import type { NameKind } from './kinds.ts'

/** An engine that does not answer by then has nothing to offer. */
const patienceMs = 1500

/** The names that there are right now; none if the engine cannot be asked. */
export async function liveNames(cli: Cli, kind: NameKind): Promise<Candidate[]> {
  const patience = setTimeout(() => process.exit(0), patienceMs)
  try {
    return await lookUp(cli, kind)
  } catch {
    return []
  } finally {
    clearTimeout(patience)
  }
}

async function lookUp(cli: Cli, kind: NameKind): Promise<Candidate[]> {
  switch (kind) {
    case 'container':
      return containers(cli, {})
    case 'running container':
      return containers(cli, { status: ['running'] })
    case 'stopped container':
      return containers(cli, { status: ['created', 'exited'] })
    case 'paused container':
      return containers(cli, { status: ['paused'] })
    case 'image':
      return images(cli)
    case 'network':
      return (await cli.engine.networks.list()).map(({ Name, Driver }) => ({ text: Name, summary: Driver }))
    case 'volume': {
      const { Volumes } = await cli.engine.volumes.list()
      return (Volumes ?? []).map(({ Name, Driver }) => ({ text: Name, summary: Driver }))
    }
    case 'context':
      return contexts(cli)
    case 'plugin':
      return (await cli.engine.plugins.list()).map(({ Name }) => ({ text: Name, summary: '' }))
    case 'bake target':
      return (await import('../bake/target-names.ts')).targetNames(cli.env)
    case 'build record':
      return buildRecords(cli)
    case 'object': {
      const kinds = ['container', 'image', 'network', 'volume'] as const
      return (await Promise.all(kinds.map((one) => lookUp(cli, one).catch(() => [])))).flat()
    }
  }
}

async function containers(cli: Cli, filters: Readonly<Record<string, readonly string[]>>): Promise<Candidate[]> {
  const found = await cli.engine.containers.list({ all: true, filters })
  return found.flatMap(({ Names, Image, Status }) => {
    const name = Names.map((one) => one.replace(/^\//, '')).find((one) => !one.includes('/'))
    return name === undefined ? [] : [{ text: name, summary: `${Image}, ${Status}` }]
  })
}

/** A name's tag is left out where it is the usual one. */
async function images(cli: Cli): Promise<Candidate[]> {
  const found = await cli.engine.images.list()
  const names = found.flatMap(({ RepoTags }) => RepoTags ?? []).filter((name) => !name.startsWith('<none>'))
  return names.flatMap((name) => {
    const short = name.endsWith(':latest') ? [{ text: name.slice(0, -':latest'.length), summary: 'image' }] : []
    return [...short, { text: name, summary: 'image' }]
  })
}

async function buildRecords(cli: Cli): Promise<Candidate[]> {
  const { listRecords, nameOf, withDoor } = await import('../buildkit/history.ts')
  const records = await withDoor(cli, listRecords)
  return records.map((record) => ({ text: record.ref, summary: nameOf(record) }))
}

function contexts(cli: Cli): Candidate[] {
  const stored = listContexts(cli.configDirectory).map(({ Name, Endpoints }) => ({
    text: Name,
    summary: Endpoints.docker?.Host ?? '',
  }))
  return [{ text: 'default', summary: '' }, ...stored]
}
