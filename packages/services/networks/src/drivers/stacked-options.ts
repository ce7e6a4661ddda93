import { invalid } from '@berth/base'
import type { IpvlanFlag, IpvlanMode, MacvlanMode, StackedKind } from '@berth/linux'
import type { NetworkRecord } from '../model.ts'

const macvlanModes: readonly MacvlanMode[] = ['bridge', 'private', 'vepa', 'passthru']
const ipvlanModes: readonly IpvlanMode[] = ['l2', 'l3', 'l3s']
const ipvlanFlags: readonly IpvlanFlag[] = ['bridge', 'private', 'vepa']

type StackedRecord = Pick<NetworkRecord, 'driver' | 'options'>

/** What kind of links a macvlan or ipvlan network is made of. Throws `invalid` in Docker's words. */
export function parseStackedKind({ driver, options }: StackedRecord): StackedKind {
  const choose = <T extends string>(option: string, values: readonly T[]): T => {
    const [usual] = values as readonly [T]
    const text = options[option] || usual
    const found = values.find((value) => value === text)
    if (found !== undefined) return found
    const what = option.replace('_', ' ')
    throw invalid(
      `requested ${what} '${text}' is not valid, '${usual}' ${what.split(' ')[1]} is the ${driver} driver default`,
    )
  }
  if (driver === 'macvlan') return { driver, mode: choose('macvlan_mode', macvlanModes) }
  if (driver !== 'ipvlan') throw new Error(`the driver ${driver} stacks nothing`)
  return { driver, mode: choose('ipvlan_mode', ipvlanModes), flag: choose('ipvlan_flag', ipvlanFlags) }
}

/** In these modes the kernel routes between parent and containers: there is no gateway, the link is the way out. */
export const routesByLink = ({ driver, options }: StackedRecord): boolean =>
  driver === 'ipvlan' && ['l3', 'l3s'].includes(options['ipvlan_mode'] ?? '')
