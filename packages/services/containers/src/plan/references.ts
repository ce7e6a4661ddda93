import { type ContainerId, EngineError, invalid, messageOf } from '@berth/base'
import type { HostConfig } from '@berth/engine-api'
import { parseMode } from './binds.ts'
import { isUserNetwork, joinedContainer } from './namespace-modes.ts'
import type { ContainerPlan, ContainerReference } from './types.ts'

/** Everyone whom a container's configuration names. Throws `invalid` for a link or source that cannot be read. */
export function referencesOf(hostConfig: HostConfig): ContainerReference[] {
  const { PidMode, IpcMode, NetworkMode, Links, VolumesFrom } = hostConfig
  const joins = [
    ['pid', PidMode],
    ['ipc', IpcMode],
    ['network', NetworkMode],
  ] as const
  const links = (Links ?? []).map(parseLink)
  return [
    ...joins.flatMap(([use, mode]) => {
      const ref = joinedContainer(mode)
      return ref ? [{ use, ref }] : []
    }),
    ...(isUserNetwork(NetworkMode) ? [] : links),
    ...(VolumesFrom ?? []).map(parseVolumesFrom),
  ]
}

/** `container[:alias]`. Throws `invalid`. */
export function parseLink(link: string): ContainerReference & { readonly alias: string } {
  if (link === '') throw invalid('empty string specified for links')
  const [ref = '', alias = ref.replace(/^\//, ''), ...rest] = link.split(':')
  if (rest.length > 0 || ref === '') throw invalid(`bad format for links: ${link}`)
  return { use: 'link', ref, alias }
}

function parseVolumesFrom(source: string): ContainerReference {
  if (source === '') throw invalid('volumes-from specification cannot be an empty string')
  return { use: 'volumes-from', ...splitVolumesFrom(source) }
}

/** `container[:mode]`. Throws `invalid`. */
export function splitVolumesFrom(source: string): { readonly ref: string; readonly isReadOnly: boolean } {
  const at = source.indexOf(':')
  if (at < 0) return { ref: source, isReadOnly: false }
  const mode = source.slice(at + 1)
  const { access, propagation, copy } = parseMode(mode)
  if (propagation !== undefined || copy !== undefined) throw invalid(`invalid mode: ${mode}`)
  return { ref: source.slice(0, at), isReadOnly: access === 'ro' }
}

/**
 * The plan's host configuration with ids in the place of names, so that renaming breaks no join. `resolve` throws
 * `invalid` for an unknown container; a network's is only needed at start.
 */
export function resolveReferences(plan: ContainerPlan, resolve: (ref: string) => ContainerId): HostConfig {
  const { hostConfig } = plan
  const ids = new Map<string, string>()
  for (const reference of plan.references) ids.set(reference.ref, idOf(reference, resolve))
  const byId = (mode: string) => {
    const ref = joinedContainer(mode)
    return ref ? `container:${ids.get(ref) ?? ref}` : mode
  }
  return {
    ...hostConfig,
    PidMode: byId(hostConfig.PidMode),
    IpcMode: byId(hostConfig.IpcMode),
    NetworkMode: byId(hostConfig.NetworkMode),
    Links: hostConfig.Links && hostConfig.Links.map((link) => linkById(link, ids)),
  }
}

function linkById(link: string, ids: ReadonlyMap<string, string>): string {
  const { ref, alias } = parseLink(link)
  return `${ids.get(ref) ?? ref}:${alias}`
}

function idOf({ use, ref }: ContainerReference, resolve: (ref: string) => ContainerId): string {
  try {
    return resolve(ref)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    if (use === 'network') return ref
    throw use === 'link' ? invalid(`could not get container for ${ref}: ${messageOf(error)}`, error) : error
  }
}
