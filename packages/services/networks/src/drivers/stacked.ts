import { codeOf, internal, invalid } from '@berth/base'
import { RouteRequest, RouteSocket, type StackedKind } from '@berth/linux'
import type { NetworkRecord } from '../model.ts'
import { parseStackedKind } from './stacked-options.ts'

/** The link of the host's that a macvlan or ipvlan network is stacked on, and what is stacked on it. */
export interface Parent {
  readonly index: number
  readonly mtu: number
  readonly kind: StackedKind
}

const parentOption = 'parent'

export const isStacked = ({ driver, configOnly }: NetworkRecord): boolean =>
  !configOnly && (driver === 'macvlan' || driver === 'ipvlan')

/** The link that a network of these drivers names; undefined for others. */
export const parentNameOf = (record: NetworkRecord): string | undefined =>
  isStacked(record) ? record.options[parentOption] : undefined

/** Throws what keeps a network of the kernel's own drivers from being made; nothing stays. */
export function checkStacked(record: NetworkRecord, others: readonly NetworkRecord[]): void {
  if (!isStacked(record)) return
  const kind = parseStackedKind(record)
  requireDriver(kind)
  const name = parentNameOf(record) ?? ''
  if (name === '') {
    const network = kind.driver === 'ipvlan' ? 'an ipvlan network' : 'a macvlan network'
    throw invalid(`${network} needs a parent: name a link of the host with -o ${parentOption}=`)
  }
  const user = others.find((other) => parentNameOf(other) === name)
  if (user) throw invalid(`network ${user.name} is already using parent interface ${name}`)
  probe(findParent(record))
}

// The loopback carries nothing, but the kernel looks for the kind of link first.
const loopback = 1

function requireDriver({ driver }: StackedKind): void {
  try {
    tryLink(loopback, driver)
  } catch (error) {
    const isMissing = codeOf(error) === 'EOPNOTSUPP' || codeOf(error) === 'ENOTSUP'
    if (isMissing) throw internal(`operation not supported: the kernel has no driver ${driver}`, error)
  }
}

function probe({ index, kind: { driver } }: Parent): void {
  try {
    tryLink(index, driver)
  } catch (error) {
    throw internal(`the parent interface cannot carry ${driver} links`, error)
  }
}

function tryLink(parent: number, driver: StackedKind['driver']): void {
  using socket = new RouteSocket()
  const name = `${driver}-probe`
  socket.send(new RouteRequest().addLinkOn(parent, driver, name), `look for ${driver}`)
  socket.send(new RouteRequest().deleteLink(name), `delete ${name}`)
}

/** The parent as it is in the kernel now. Throws in Docker's words. */
export function findParent(record: NetworkRecord): Parent {
  const { driver, options } = record
  const kind = parseStackedKind(record)
  const name = parentNameOf(record) ?? ''
  if (name === 'lo') throw internal(`loopback interface is not a valid ${driver} parent link`)
  using socket = new RouteSocket()
  const link = name.length > 15 ? undefined : socket.link(name)
  if (!link) throw internal(`the requested parent interface ${name} was not found on the host`)
  const mtu = Number(options['com.docker.network.driver.mtu'] ?? 0)
  if (!Number.isInteger(mtu) || mtu < 0 || (mtu > 0 && mtu < 68) || mtu > 65535)
    throw invalid(`invalid MTU number: ${mtu}`)
  return { index: link.index, mtu: mtu || link.mtu, kind }
}
