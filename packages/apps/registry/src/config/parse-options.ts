import { invalid, parseGoDurationNs } from '@berth/base'
import { type OptionName, type OptionSpec, optionSpecs } from './options.ts'

type ValueOf<S extends OptionSpec> = S['kind'] extends 'boolean'
  ? boolean
  : S['kind'] extends 'string'
    ? S extends { usual: string }
      ? string
      : string | undefined
    : number

/** Values by name: bytes as numbers, durations in milliseconds. */
export type Options = { readonly [N in OptionName]: ValueOf<(typeof optionSpecs)[N]> }

type OptionSource = Readonly<Record<string, string | undefined>>

/** The options in `argv`; throws `invalid` for what is none of them, or has no such value. */
export function parseOptions(argv: readonly string[]): Options {
  const given = readFlags(argv)
  const entries = Object.entries<OptionSpec>(optionSpecs).map(([name, spec]) => [name, valueOf(spec, given[spec.flag])])
  const options = Object.fromEntries(entries) as Options
  check(options)
  return options
}

function readFlags(argv: readonly string[]): OptionSource {
  const rest = [...argv]
  const given: Record<string, string> = {}
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const m = /^--([a-z-]+)(?:=(.*))?$/s.exec(word)
    const spec = Object.values<OptionSpec>(optionSpecs).find(({ flag }) => flag === m?.[1])
    if (!m || !spec) throw invalid(`unknown ${word.startsWith('-') ? 'flag' : 'argument'}: ${word}`)
    const text = m[2] ?? (spec.kind === 'boolean' ? 'true' : rest.shift())
    if (text === undefined) throw invalid(`flag needs an argument: --${spec.flag}`)
    given[spec.flag] = text
  }
  return given
}

function valueOf(spec: OptionSpec, given: string | undefined): string | boolean | number | undefined {
  const text = given ?? spec.usual
  const wrong = (wanted: string) => invalid(`--${spec.flag}: want ${wanted}, not ${JSON.stringify(text)}`)
  switch (spec.kind) {
    case 'string':
      return text
    case 'boolean':
      if (text === undefined || text === 'false') return false
      if (text === 'true') return true
      throw wrong('true or false')
    case 'integer':
      if (!/^[1-9]\d{0,8}$/.test(text ?? '')) throw wrong('a whole number above 0')
      return Number(text)
    case 'bytes':
      return parseBytes(text ?? '') ?? fail(wrong('bytes, as 500m or 10g'))
    case 'duration':
      return parseMs(text ?? '') ?? fail(wrong('a duration, as 90s or 24h'))
  }
}

function fail(error: Error): never {
  throw error
}

const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

function parseBytes(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d{1,12})([bkmgt]?)$/i.exec(text) ?? []
  return amount === undefined ? undefined : Number(amount) * (units[unit.toLowerCase()] ?? 1)
}

function parseMs(text: string): number | undefined {
  const ns = parseGoDurationNs(text)
  return ns === undefined || ns < 0n ? undefined : Number(ns / 1_000_000n)
}

function check(options: Options): void {
  const { tlsCert, tlsKey, clientCa, proxy, proxyUser, proxyPasswordFile, htpasswd, anonymousPull } = options
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw invalid('--tls-cert and --tls-key go together')
  if (clientCa !== undefined && tlsCert === undefined) throw invalid('--client-ca needs --tls-cert and --tls-key')
  if (anonymousPull && htpasswd === undefined) throw invalid('--anonymous-pull needs --htpasswd')
  if ((proxyUser === undefined) !== (proxyPasswordFile === undefined)) {
    throw invalid('--proxy-user and --proxy-password-file go together')
  }
  if (proxyUser !== undefined && proxy === undefined) throw invalid('--proxy-user needs --proxy')
  if (!['text', 'json'].includes(options.logFormat)) throw invalid(`--log-format: want text or json`)
  if (!['debug', 'info', 'warn', 'error'].includes(options.logLevel)) {
    throw invalid('--log-level: want debug, info, warn or error')
  }
  parseAddress(options.addr)
}

/** `HOST:PORT`, `[IPV6]:PORT` or `:PORT`. */
export function parseAddress(text: string): { host: string; port: number } {
  const [, bracketed, plain = '', port] = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  if (port === undefined || Number(port) > 65535) throw invalid(`--addr: want HOST:PORT, not ${JSON.stringify(text)}`)
  return { host: bracketed ?? (plain === '' ? '::' : plain), port: Number(port) }
}

export function helpText(): string {
  const lines = Object.values<OptionSpec>(optionSpecs).map(({ flag, value, help, usual }) => {
    const left = `--${flag}${value === undefined ? '' : ` ${value}`}`
    return `      ${left.padEnd(30)} ${help}${usual === undefined ? '' : ` (default ${usual})`}`
  })
  return [
    '',
    'Usage:  berth registry serve [OPTIONS]',
    '',
    'Run a registry of images.',
    '',
    'Options:',
    ...lines.toSorted(),
    '',
  ].join('\n')
}
