import { BlockList, isIP } from 'node:net'
import type { SubnetRequest } from '@berth/engine-client'

export interface SubnetFlags {
  readonly subnets: readonly string[]
  readonly ranges: readonly string[]
  readonly gateways: readonly string[]
  readonly auxiliary: Readonly<Record<string, string>>
}

/** Gives each range, gateway and auxiliary address to the subnet that it lies in; throws an Error in docker's words. */
export function planSubnets({ subnets, ranges, gateways, auxiliary }: SubnetFlags): SubnetRequest[] {
  if (subnets.length < ranges.length || subnets.length < gateways.length) {
    throw new Error('every ip-range or gateway must have a corresponding subnet')
  }
  refuseOverlaps(subnets)
  const drafts = new Map(subnets.map((Subnet): [string, Draft] => [Subnet, { Subnet, AuxiliaryAddresses: {} }]))
  const placed = [...drafts.values()]
  for (const range of ranges) placeOne(placed, range, { field: 'IPRange', one: 'range', many: 'ranges', where: 'on' })
  for (const gateway of gateways) {
    placeOne(placed, gateway, { field: 'Gateway', one: 'gateway', many: 'gateways', where: 'for' })
  }
  for (const [name, address] of Object.entries(auxiliary)) placeAuxiliary(placed, name, address)
  // In docker's order: engines may hand on what they got.
  return placed.map(({ Subnet, IPRange, Gateway, AuxiliaryAddresses }) => ({
    Subnet,
    ...(IPRange === undefined ? {} : { IPRange }),
    ...(Gateway === undefined ? {} : { Gateway }),
    AuxiliaryAddresses,
  }))
}

interface Draft {
  readonly Subnet: string
  IPRange?: string
  Gateway?: string
  readonly AuxiliaryAddresses: Record<string, string>
}

function refuseOverlaps(subnets: readonly string[]): void {
  subnets.forEach((subnet, index) => {
    for (const other of subnets.slice(0, index)) {
      if (contains(subnet, other) || contains(other, subnet)) {
        throw new Error('multiple overlapping subnet configuration is not supported')
      }
    }
  })
}

interface Placement {
  readonly field: 'IPRange' | 'Gateway'
  readonly one: string
  readonly many: string
  readonly where: string
}

function placeOne(drafts: readonly Draft[], text: string, { field, one, many, where }: Placement): void {
  const matching = drafts.filter(({ Subnet }) => contains(Subnet, text))
  if (matching.length === 0) throw new Error(`no matching subnet for ${one} ${text}`)
  for (const draft of matching) {
    const earlier = draft[field]
    if (earlier !== undefined) {
      throw new Error(
        `cannot configure multiple ${many} (${text}, ${earlier}) ${where} the same subnet (${draft.Subnet})`,
      )
    }
    draft[field] = text
  }
}

function placeAuxiliary(drafts: readonly Draft[], name: string, address: string): void {
  const matching = drafts.filter(({ Subnet }) => contains(Subnet, address))
  if (matching.length === 0) throw new Error(`no matching subnet for aux-address ${address}`)
  for (const draft of matching) draft.AuxiliaryAddresses[name] = address
}

/** Whether the address, or the address before the slash, lies in the subnet. */
function contains(subnet: string, text: string): boolean {
  const { address, prefix } = parseCidr(subnet, 'invalid subnet: ')
  const family = isIP(address)
  const wanted = text.includes('/') ? parseCidr(text, '').address : text
  if (isIP(wanted) !== family) return false
  const list = new BlockList()
  list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4')
  return list.check(wanted, family === 6 ? 'ipv6' : 'ipv4')
}

function parseCidr(text: string, problem: string): { address: string; prefix: number } {
  const [, address = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const family = isIP(address)
  const prefix = Number(digits)
  if (family === 0 || digits === '' || prefix > (family === 6 ? 128 : 32)) {
    throw new Error(`${problem}invalid CIDR address: ${text}`)
  }
  return { address, prefix }
}
