import { isIP } from 'node:net'
import type { PortMap } from '@berth/engine-api'

export interface PortFlags {
  readonly exposed: Record<string, Record<string, never>>
  readonly bindings: PortMap
}

/** The ports of `-p` and `--expose`; throws an Error in docker's words for a bad one. */
export function parsePorts(publish: readonly string[], expose: readonly string[]): PortFlags {
  const exposed: Record<string, Record<string, never>> = {}
  const bindings: PortMap = {}
  for (const text of publish) {
    for (const { port, HostIp, HostPort } of parsePublish(toShortForm(text))) {
      exposed[port] = {}
      ;(bindings[port] ??= []).push({ HostIp, HostPort })
    }
  }
  for (const port of expose.flatMap(parseExpose)) exposed[port] ??= {}
  return { exposed, bindings }
}

/** `published=8080,target=80,protocol=tcp` as `8080:80/tcp`. */
function toShortForm(text: string): string {
  if (!text.includes('=')) return text
  const fields = new Map([['protocol', 'tcp']])
  for (const field of text.split(',')) {
    const equals = field.indexOf('=')
    if (equals < 1) throw new Error(`invalid publish opts format (should be name=value but got '${field}')`)
    fields.set(field.slice(0, equals), field.slice(equals + 1))
  }
  return `${fields.get('published') ?? ''}:${fields.get('target') ?? ''}/${fields.get('protocol') ?? ''}`
}

interface Mapping {
  readonly port: string
  readonly HostIp: string
  readonly HostPort: string
}

function parsePublish(text: string): Mapping[] {
  const parts = text.split(':')
  const { range, protocol } = splitProtocol(parts.at(-1) ?? '')
  const hostRange = parts.at(-2) ?? ''
  const HostIp = checkHostIp(parts.slice(0, -2).join(':'))
  if (range === '') throw new Error(`no port specified: ${text}<empty>`)
  const inside = parseRange(range, `invalid containerPort: ${range}`)
  checkProtocol(protocol)
  const outside = hostRange === '' ? undefined : parseRange(hostRange, `invalid hostPort: ${hostRange}`)
  if (outside !== undefined && width(inside) !== width(outside) && width(inside) > 0) {
    throw new Error(`invalid ranges specified for container and host Ports: ${range} and ${hostRange}`)
  }
  return Array.from({ length: width(inside) + 1 }, (_none, index) => ({
    port: `${inside.first + index}/${protocol}`,
    HostIp,
    HostPort: outside === undefined ? '' : hostPort(inside, outside, index),
  }))
}

/** One container port may take any of a range of host ports. */
function hostPort(inside: Range, outside: Range, index: number): string {
  const first = String(outside.first + index)
  return width(inside) === 0 && width(outside) > 0 ? `${first}-${outside.last}` : first
}

function checkHostIp(text: string): string {
  const address = /^\[(.*)\]$/.exec(text)?.[1] ?? text
  if (address !== '' && isIP(address) === 0) throw new Error(`invalid IP address: ${text}`)
  return address
}

function parseExpose(text: string): string[] {
  if (text.includes(':')) throw new Error(`invalid port format for --expose: ${text}`)
  const { range, protocol } = splitProtocol(text)
  const { first, last } = parseRange(range, `invalid range format for --expose: ${text}, error: ${rangeProblem(range)}`)
  checkProtocol(protocol)
  return Array.from({ length: last - first + 1 }, (_none, index) => `${first + index}/${protocol}`)
}

/** What Go's parser says of a range of ports. */
function rangeProblem(range: string): string {
  if (range === '') return 'empty string specified for ports'
  const [first = '', last] = range.split(/-(.*)/s)
  for (const number of last === undefined ? [first] : [first, last]) {
    const what = /^\d+$/.test(number) ? (Number(number) > 65535 ? 'value out of range' : undefined) : 'invalid syntax'
    if (what !== undefined) return `strconv.ParseUint: parsing ${JSON.stringify(number)}: ${what}`
  }
  return `invalid range specified for port: ${range}`
}

function splitProtocol(text: string): { range: string; protocol: string } {
  const slash = text.indexOf('/')
  return slash < 0
    ? { range: text, protocol: 'tcp' }
    : { range: text.slice(0, slash), protocol: text.slice(slash + 1).toLowerCase() || 'tcp' }
}

function checkProtocol(protocol: string): void {
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) throw new Error(`invalid proto: ${protocol}`)
}

interface Range {
  readonly first: number
  readonly last: number
}

function width(range: Range): number {
  return range.last - range.first
}

function parseRange(text: string, problem: string): Range {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? match?.[1])
  if (match === null || last < first || last > 65535) throw new Error(problem)
  return { first, last }
}
