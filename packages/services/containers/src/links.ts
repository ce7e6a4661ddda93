import { conflict, type ContainerId, internal, notFound } from '@berth/base'
import type { AttachRequest } from '@berth/networks'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { linkedPorts, linkEnvironment } from './plan/link-environment.ts'
import { parseLink } from './plan/references.ts'
import { isAlive } from './stop.ts'

type LinkedHost = NonNullable<AttachRequest['links']>[number]

interface Link {
  readonly alias: string
  readonly target: Container
}

/** Links mean something on the default bridge; on other networks they are names of the DNS. */
const isOnDefaultBridge = ({ hostConfig }: Container): boolean => hostConfig.NetworkMode === 'bridge'

/** Those whose target is still there; of several with one alias the first. */
function linksOf({ registry }: Context, { hostConfig }: Container): Link[] {
  const links = new Map<string, Link>()
  for (const { ref, alias = ref } of (hostConfig.Links ?? []).map(parseLink)) {
    const target = registry.byId(ref as ContainerId)
    if (target && !links.has(alias)) links.set(alias, { alias, target })
  }
  return [...links.values()]
}

const addressOf = ({ networks }: Context, { id }: Container): string =>
  networks.attachment(id)?.endpoints['bridge']?.IPAddress ?? ''

/** What a starting container's hosts file and firewall learn of those that it is linked to. Throws when one does not run. */
export function linkedHosts(context: Context, container: Container): LinkedHost[] {
  if (!isOnDefaultBridge(container)) return []
  return linksOf(context, container).map((link) => {
    const { target, alias } = link
    if (!isAlive(target)) {
      throw internal(`Cannot link to a non running container: /${target.name} AS /${container.name}/${alias}`)
    }
    if (addressOf(context, target) === '') {
      throw internal(`container ${target.id} not attached to default bridge network`)
    }
    return linkedHost(context, link)
  })
}

function linkedHost(context: Context, { alias, target }: Link): LinkedHost {
  const names = [alias, target.config.Hostname, ...(alias === target.name ? [] : [target.name])]
  return { address: addressOf(context, target), names, ports: linkedPorts(exposed(target)) }
}

const exposed = ({ config }: Container): string[] => Object.keys(config.ExposedPorts ?? {})

/** What the environment of a container's processes says of those that it is linked to and that run. */
export function linkedEnvironment(context: Context, container: Container): string[] {
  if (!isOnDefaultBridge(container)) return []
  const running = linksOf(context, container).filter(({ target }) => isAlive(target))
  return running.flatMap(({ alias, target }) =>
    linkEnvironment({
      alias,
      owner: container.name,
      address: addressOf(context, target),
      exposedPorts: exposed(target),
      env: target.config.Env,
    }),
  )
}

/** A container has started, with another address perhaps: who is linked to it finds it there. */
export function refreshLinks(context: Context, target: Container): void {
  for (const owner of context.registry.all()) {
    if ((owner.hostConfig.Links ?? []).length === 0 || !isAlive(owner) || !isOnDefaultBridge(owner)) continue
    for (const link of linksOf(context, owner).filter((one) => one.target.id === target.id)) {
      context.networks.updateLink(owner.id, linkedHost(context, link))
    }
  }
}

/** Takes the link `/owner/alias` away; the containers stay. */
export async function removeLink(context: Context, ref: string): Promise<void> {
  const [ownerName = '', alias] = ref.replace(/^\//, '').split('/')
  if (alias === undefined) {
    context.registry.resolve(ref)
    throw conflict('Conflict, cannot remove the default link name of the container')
  }
  const owner = context.registry.byName(ownerName)
  if (!owner) throw notFound(`No such container: ${ref}`)
  await context.locks.run(owner.id, async () => {
    const { hostConfig } = context.registry.resolve(owner.id)
    const links = hostConfig.Links ?? []
    const kept = links.filter((link) => parseLink(link).alias !== alias)
    if (kept.length === links.length) throw notFound(`No such container: ${ref}`)
    context.registry.redefine(owner.id, { hostConfig: { ...hostConfig, Links: kept } })
    context.networks.removeLink(owner.id, alias)
  })
}
