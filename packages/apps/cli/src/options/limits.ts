import type { Ulimit } from '@berth/engine-api'

const streams = new Set(['stdin', 'stdout', 'stderr'])

export function checkStream(text: string): string {
  const name = text.toLowerCase()
  if (!streams.has(name)) throw new Error('valid streams are STDIN, STDOUT and STDERR')
  return name
}

/** A number of processors as billionths of one. */
export function parseCpus(text: string): number {
  const match = /^[+-]?(\d*)(?:\.(\d*))?$/.exec(text)
  if (match === null || !/\d/.test(text)) throw new Error(`failed to parse ${text} as a rational number`)
  const fraction = (match[2] ?? '').replace(/0+$/, '')
  if (fraction.length > 9) throw new Error('value is too precise')
  const nanos = Number(match[1] ?? 0) * 1e9 + Number(fraction.padEnd(9, '0'))
  return text.startsWith('-') ? -nanos : nanos
}

const ulimits = new Set([
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
])

/** `name=soft[:hard]`. */
export function parseUlimit(text: string): Ulimit {
  const equals = text.indexOf('=')
  const [Name, limits] = [text.slice(0, equals), text.slice(equals + 1).split(':')]
  if (equals < 0) throw new Error(`invalid ulimit argument: ${text}`)
  if (!ulimits.has(Name)) throw new Error(`invalid ulimit type: ${Name}`)
  if (limits.length > 2) {
    const given = limits.join(':')
    throw new Error(`too many limit value arguments - ${given}, can only have up to two, \`soft[:hard]\``)
  }
  const [Soft = 0, Hard = Soft] = limits.map(parseLimit)
  if (Soft === -1 && Hard !== -1)
    throw new Error(`ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: ${Hard}`)
  if (Hard !== -1 && Soft > Hard) {
    throw new Error(`ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`)
  }
  return { Name, Hard, Soft }
}

function parseLimit(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

const ownSysctls = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
])

/** Only what belongs to a container's own namespaces may be set. */
export function checkSysctl(text: string): string {
  const name = text.split('=')[0] ?? ''
  const own = ownSysctls.has(name) || name.startsWith('net.') || name.startsWith('fs.mqueue.')
  if (!text.includes('=') || !own) throw new Error(`sysctl '${text}' is not allowed`)
  return text
}
