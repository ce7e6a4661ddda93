import { invalid, matchesLabels } from '@berth/base'
import type { Filters, NetworkResponse } from '@berth/engine-api'

export const listFilters = new Set(['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'])

/** Every filter must hold; of one filter's values any, but for labels all. Throws `invalid` for a value that is none. */
export function matchesNetwork(network: NetworkResponse, filters: Filters): boolean {
  return Object.entries(filters).every(([name, values]) => {
    const test = (value: string) => matchesOne(network, name, value)
    return name === 'label' ? values.every(test) : values.length === 0 || values.some(test)
  })
}

const predefined = new Set(['bridge', 'host', 'none'])

function matchesOne(network: NetworkResponse, filter: string, value: string): boolean {
  switch (filter) {
    case 'driver':
      return network.Driver === value
    case 'id':
      return network.Id.startsWith(value)
    case 'name':
      return network.Name.includes(value)
    case 'scope':
      return network.Scope === value
    case 'label':
      return matchesLabels(network.Labels, [value])
    case 'type':
      return matchesType(network, value)
    default:
      return matchesDangling(network, value)
  }
}

function matchesType({ Name }: NetworkResponse, value: string): boolean {
  if (value !== 'builtin' && value !== 'custom') throw invalid(`invalid filter: 'type'='${value}'`)
  return predefined.has(Name) === (value === 'builtin')
}

function matchesDangling({ Name, Containers }: NetworkResponse, value: string): boolean {
  if (!['true', '1', 'false', '0'].includes(value)) {
    throw invalid(`invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`)
  }
  const isDangling = !predefined.has(Name) && Object.keys(Containers).length === 0
  return isDangling === (value === 'true' || value === '1')
}
