import { type Filters, invalid } from '@berth/base'
import type { PortMap } from '@berth/engine-api'

/**
 * The filters `expose` (ports inside) and `publish` (on the host): a list's ports fit when one of either does. Undefined:
 * neither was given. Throws `invalid` in Docker's words.
 */
export function compilePortFilters(filters: Filters): ((ports: PortMap) => boolean) | undefined {
  const exposed = rangesOf(filters, 'expose')
  const published = rangesOf(filters, 'publish')
  if (exposed.length + published.length === 0) return undefined
  return (ports) =>
    Object.entries(ports).some(([key, bindings]) => {
      const [port, protocol] = key.split('/') as [string, string]
      // A port that is not published counts as published at 0.
      const onHost = bindings?.length ? bindings.map(({ HostPort }) => HostPort) : ['0']
      return fits(exposed, Number(port), protocol) || onHost.some((one) => fits(published, Number(one), protocol))
    })
}

interface Range {
  readonly first: number
  readonly last: number
  readonly protocol: string
}

const fits = (ranges: readonly Range[], port: number, protocol: string): boolean =>
  ranges.some((range) => range.protocol === protocol && range.first <= port && port <= range.last)

const rangesOf = (filters: Filters, name: string): Range[] =>
  (filters[name] ?? []).map((value) => {
    if (value.includes(':')) throw invalid(`filter for '${name}' should not contain ':': ${value}`)
    const range = parseRange(value)
    if (typeof range === 'string') throw invalid(`error while looking up for ${name} ${value}: ${range}`)
    return range
  })

/** `80`, `80/udp`, `8000-8010/tcp`; or what is wrong with it. */
function parseRange(value: string): Range | string {
  const [ports = '', protocol] = value.split('/')
  if (ports === '') return 'Empty string specified for ports.'
  const [first = '', last = first] = ports.split('-')
  const wrong = wrongPort(first) ?? wrongPort(last)
  if (wrong !== undefined) return wrong
  if (Number(last) < Number(first)) return `Invalid range specified for the Port: ${ports}`
  return { first: Number(first), last: Number(last), protocol: protocol || 'tcp' }
}

function wrongPort(text: string): string | undefined {
  const problem = !/^\d+$/.test(text) ? 'invalid syntax' : Number(text) > 65_535 ? 'value out of range' : undefined
  return problem && `strconv.ParseUint: parsing ${JSON.stringify(text)}: ${problem}`
}
