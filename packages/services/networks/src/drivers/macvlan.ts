import { codeOf, internal, invalid, notImplemented } from '@berth/base'
import { type MacvlanMode, RouteRequest, RouteSocket } from '@berth/linux'
import type { NetworkRecord } from '../model.ts'

/** The link of the host's that a macvlan network is stacked on. */
export interface Parent {
  readonly index: number
  readonly mtu: number
  readonly mode: MacvlanMode
}

const parentOption = 'parent'
const modeOption = 'macvlan_mode'
const modes: readonly string[] = ['bridge', 'private', 'vepa', 'passthru'] satisfies MacvlanMode[]

const isMode = (text: string): text is MacvlanMode => modes.includes(text)

export const parentNameOf = ({ driver, options, configOnly }: NetworkRecord): string | undefined =>
  driver === 'macvlan' && !configOnly ? options[parentOption] : undefined

/** Throws what keeps a network of the kernel's own drivers from being made; nothing stays. */
export function checkStacked(record: NetworkRecord, others: readonly NetworkRecord[]): void {
  if (record.configOnly || (record.driver !== 'macvlan' && record.driver !== 'ipvlan')) return
  if (record.driver === 'ipvlan') return refuseIpvlan()
  const name = parentNameOf(record) ?? ''
  if (name === '') throw invalid(`a macvlan network needs a parent: name a link of the host with -o ${parentOption}=`)
  const user = others.find((other) => parentNameOf(other) === name)
  if (user) throw invalid(`network ${user.name} is already using parent interface ${name}`)
  const parent = findParent(record)
  probe(parent.index, 'macvlan')
}

function refuseIpvlan(): never {
  // The loopback carries nothing, but the kernel looks for the kind of link first.
  probe(1, 'ipvlan')
  throw notImplemented('the driver ipvlan is not available yet')
}

/** Asks the kernel whether it has such links. */
function probe(parent: number, kind: 'macvlan' | 'ipvlan'): void {
  using socket = new RouteSocket()
  const name = `${kind}-probe`
  try {
    socket.send(new RouteRequest().addLinkOn(parent, kind, name), `look for ${kind}`)
  } catch (error) {
    const isMissing = codeOf(error) === 'EOPNOTSUPP' || codeOf(error) === 'ENOTSUP'
    if (isMissing) throw internal(`operation not supported: the kernel has no driver ${kind}`, error)
    if (kind === 'ipvlan') return
    throw internal(`the parent interface cannot carry ${kind} links`, error)
  }
  socket.send(new RouteRequest().deleteLink(name), `delete ${name}`)
}

/** The parent as it is in the kernel now. Throws in Docker's words. */
export function findParent(record: NetworkRecord): Parent {
  using socket = new RouteSocket()
  const name = parentNameOf(record) ?? ''
  const mode = record.options[modeOption] || 'bridge'
  if (!isMode(mode))
    throw invalid(`requested macvlan mode '${mode}' is not valid, 'bridge' mode is the macvlan driver default`)
  if (name === 'lo') throw internal('loopback interface is not a valid macvlan parent link')
  const link = name.length > 15 ? undefined : socket.link(name)
  if (!link) throw internal(`the requested parent interface ${name} was not found on the host`)
  const mtu = Number(record.options['com.docker.network.driver.mtu'] ?? 0)
  if (!Number.isInteger(mtu) || mtu < 0 || (mtu > 0 && mtu < 68) || mtu > 65535)
    throw invalid(`invalid MTU number: ${mtu}`)
  return { index: link.index, mtu: mtu || link.mtu, mode }
}
