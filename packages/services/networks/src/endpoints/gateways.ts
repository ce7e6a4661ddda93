import type { Family } from '../ipam/subnet.ts'

/** What decides which of a container's networks is its way out. */
export interface Candidate {
  readonly name: string
  readonly priority: number
  readonly internal: boolean
  /** '' where the network has none. */
  readonly gateway4: string
  readonly gateway6: string
}

/** Docker's order: priority, then networks that lead out, then those with both families, then by name. */
export function compareCandidates(a: Candidate, b: Candidate): number {
  return (
    b.priority - a.priority ||
    Number(a.internal) - Number(b.internal) ||
    gatewayCount(b) - gatewayCount(a) ||
    (a.name < b.name ? -1 : Number(a.name > b.name))
  )
}

const gatewayCount = ({ gateway4, gateway6 }: Candidate): number => Number(gateway4 !== '') + Number(gateway6 !== '')

/** The first that has a gateway of the family; candidates are in order. */
export function chooseGateway<T extends Candidate>(candidates: readonly T[], family: Family): T | undefined {
  return candidates.find(({ gateway4, gateway6 }) => (family === 4 ? gateway4 : gateway6) !== '')
}
