import { messageOf } from '@berth/base'
import type { VersionResponse } from '@berth/engine-api'
import type { Template } from '@berth/go-template'
import type { Cli } from '../../cli.ts'
import { currentContext } from '../../context/current-context.ts'
import { type ClientBuild, describeBuild } from '../../client-build.ts'
import { defineCommand, noArguments } from '../../command.ts'
import { describeFailure, StatusError } from '../../errors.ts'
import { string } from '../../flags/flag.ts'
import { byGoName } from '../../output/go-names.ts'
import { formatHelp } from '../../output/format-help.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Show the Berth version information',
  count: noArguments,
  flags: { format: string('f,format', formatHelp) },
  async run(cli, { flags }) {
    const { server, failure } = await askServer(cli)
    const client = describeClient(cli)
    if (flags.format === '')
      cli.out(`${formatClient(client)}${server === undefined ? '' : `\n${formatServer(server)}`}`)
    else await printBy(cli, flags.format, { data: { Client: client, Server: server ?? null }, failure })
    if (failure !== undefined) throw new StatusError(1, failure)
  },
})

interface ClientVersion extends ClientBuild {
  readonly ApiVersion: string
  readonly Context: string
}

async function askServer(cli: Cli): Promise<{ server?: VersionResponse; failure?: string }> {
  try {
    return { server: await cli.engine.system.version() }
  } catch (error) {
    return { failure: describeFailure(error) }
  }
}

function describeClient(cli: Cli): ClientVersion {
  const { Version, ...build } = describeBuild()
  const ApiVersion = cli.engine.transport.apiVersion
  return { Version, ApiVersion, ...build, Context: currentContext(cli.contextSources) }
}

function formatClient(client: ClientVersion): string {
  const rows = [
    ['Version', client.Version],
    ['API version', client.ApiVersion],
    ['Runtime', client.GoVersion],
    ['OS/Arch', `${client.Os}/${client.Arch}`],
    ['Context', client.Context],
  ]
  return `Client:\n${rows.map((row) => line(' ', row)).join('')}`
}

function formatServer(server: VersionResponse): string {
  const rows = [
    ['Version', server.Version],
    ['API version', `${server.ApiVersion} (minimum version ${server.MinAPIVersion})`],
    ['Go version', server.GoVersion],
    ['Git commit', server.GitCommit],
    ['Built', reformatDate(server.BuildTime ?? '')],
    ['OS/Arch', `${server.Os}/${server.Arch}`],
    ['Experimental', String(server.Experimental ?? false)],
  ]
  const title = server.Platform.Name === '' ? 'Server:' : `Server: ${server.Platform.Name}`
  const engine = ` Engine:\n${rows.map((row) => line('  ', row)).join('')}`
  return `${title}\n${engine}${(server.Components ?? [])
    .filter(({ Name }) => Name !== 'Engine')
    .map(formatComponent)
    .join('')}`
}

function formatComponent({ Name, Version, Details }: VersionResponse['Components'][number]): string {
  const rows = Object.entries(Details ?? {}).map(([key, value]) => line('  ', [key, value]))
  return ` ${Name}:\n${line('  ', ['Version', Version])}${rows.join('')}`
}

function line(indent: string, [name = '', value = '']: readonly string[]): string {
  return `${`${indent}${name}:`.padEnd(20)}${value}\n`
}

/** `Mon Jan  2 15:04:05 2006`, as C's asctime. */
function reformatDate(text: string): string {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) return text
  const [weekday = '', , month = '', year = ''] = date.toUTCString().replace(',', '').split(' ')
  const day = String(date.getUTCDate()).padStart(2)
  return `${weekday} ${month} ${day} ${date.toISOString().slice(11, 19)} ${year}`
}

interface Versions {
  readonly data: { readonly Client: ClientVersion; readonly Server: VersionResponse | null }
  /** Why there is nothing of the server; told of rather than what a template misses then. */
  readonly failure: string | undefined
}

async function printBy(cli: Cli, format: string, { data, failure }: Versions): Promise<void> {
  if (format === 'json') return cli.out(`${JSON.stringify(data)}\n`)
  const template = await parse(format)
  const { goType, nilPointer } = await import('@berth/go-template')
  const named = (fields: object, type: string): object => Object.defineProperty({ ...fields }, goType, { value: type })
  const Client = named(data.Client, 'system.clientVersion')
  const Server = data.Server === null ? nilPointer : named(data.Server, '*types.Version')
  const typed = named({ Client, Server }, 'system.versionInfo')
  try {
    cli.out(`${template.execute(typed)}\n`)
  } catch (error) {
    cli.out('\n')
    throw new StatusError(1, failure ?? messageOf(error))
  }
}

/** What the JSON of a version leaves out when it is Go's zero. */
const absent: Readonly<Record<string, unknown>> = { Experimental: false, BuildTime: '', KernelVersion: '' }

async function parse(format: string): Promise<Template> {
  const { parseTemplate } = await import('@berth/go-template')
  try {
    const zeroValue = (receiver: object, key: string): unknown => byGoName(receiver, key) ?? absent[key]
    return parseTemplate(format, { name: 'version', zeroValue })
  } catch (error) {
    throw new StatusError(64, `template parsing error: ${messageOf(error)}`)
  }
}
