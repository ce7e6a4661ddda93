import { messageOf } from '@berth/base'
import type { InfoResponse } from '@berth/engine-api'
import { ApiError, ConnectionError } from '@berth/engine-client'
import type { Cli } from '../../cli.ts'
import { type ClientBuild, describeBuild } from '../../client-build.ts'
import { type DescribedPlugin, describePlugins } from '../../plugins/describe-plugins.ts'
import { defineCommand, noArguments } from '../../command.ts'
import { currentContext } from '../../context/current-context.ts'
import { StatusError } from '../../errors.ts'
import { string } from '../../flags/flag.ts'
import { byGoName } from '../../output/go-names.ts'
import { formatHelp } from '../../output/format-help.ts'
import { binarySize } from '../../output/units.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Display system-wide information',
  aliases: ['system info', 'info'],
  count: noArguments,
  flags: { format: string('f,format', formatHelp) },
  async run(cli, { flags }) {
    const client = await describeClient(cli)
    if (flags.format !== '') return printFormatted(cli, client, flags.format)
    cli.out(
      `Client:\n Version:    ${client.Version}\n Context:    ${client.Context}\n Debug Mode: ${client.Debug}\n${formatPlugins(client.Plugins)}\nServer:\n`,
    )
    const info = await cli.engine.system.info()
    cli.out(formatInfo(info))
    for (const warning of info.Warnings ?? []) cli.err(`${warning}\n`)
  },
})

interface ClientInfo extends ClientBuild {
  readonly Context: string
  readonly Debug: boolean
  readonly Plugins: readonly DescribedPlugin[]
  readonly Warnings: null
}

async function describeClient(cli: Cli): Promise<ClientInfo> {
  const Plugins = await describePlugins(cli)
  const Context = currentContext(cli.contextSources)
  return { Debug: cli.globals.debug, ...describeBuild(), Context, Plugins, Warnings: null }
}

function formatPlugins(plugins: readonly DescribedPlugin[]): string {
  const blocks = plugins.map(({ Name, ShortDescription = '', Vendor, Version = '', Path }) => {
    const version = Version === '' ? '' : `    Version:  ${Version}\n`
    return `  ${Name}: ${ShortDescription} (${Vendor})\n${version}    Path:     ${Path}\n`
  })
  return blocks.length === 0 ? '' : ` Plugins:\n${blocks.join('')}`
}

async function printFormatted(cli: Cli, ClientInfo: ClientInfo, format: string): Promise<void> {
  if (format === 'json') return cli.out(`${JSON.stringify({ ...(await cli.engine.system.info()), ClientInfo })}\n`)
  const { nilSlice, parseTemplate } = await import('@berth/go-template')
  try {
    const absent: Readonly<Record<string, unknown>> = {
      ClientErrors: nilSlice,
      ServerErrors: nilSlice,
      Warnings: nilSlice,
    }
    const zeroValue = (receiver: object, key: string): unknown => byGoName(receiver, key) ?? absent[key]
    const template = parseTemplate(format, { zeroValue })
    const clientOnly = await renderClientOnly(ClientInfo, format)
    const data = clientOnly === undefined ? { ...(await serverInfo(cli)), ClientInfo } : {}
    cli.out(`${clientOnly ?? template.execute(await asDockerInfo(data))}\n`)
  } catch (error) {
    if (error instanceof ConnectionError || error instanceof ApiError) throw error
    const parsed = messageOf(error).includes('executing')
    if (parsed) cli.out('\n')
    throw new StatusError(parsed ? 1 : 64, parsed ? messageOf(error) : `template parsing error: ${messageOf(error)}`)
  }
}

/** Of an engine that does not answer, docker prints a line of nothing before it says so. */
function serverInfo(cli: Cli): Promise<InfoResponse> {
  return cli.engine.system.info().catch((error: unknown) => {
    cli.out('\n')
    throw error
  })
}

/** Templates that tell of the client alone ask no engine; undefined for the others. */
async function renderClientOnly(ClientInfo: ClientInfo, format: string): Promise<string | undefined> {
  if (!format.includes('.ClientInfo')) return undefined
  const { parseTemplate } = await import('@berth/go-template')
  try {
    return parseTemplate(format).execute(await asDockerInfo({ ClientInfo }))
  } catch {
    return undefined
  }
}

async function asDockerInfo(data: object): Promise<object> {
  const { goType } = await import('@berth/go-template')
  return Object.defineProperty(data, goType, { value: 'system.dockerInfo' })
}

function formatInfo(info: InfoResponse): string {
  const lines = [
    ...containerLines(info),
    ...storageLines(info),
    ...pluginLines(info),
    ...runtimeLines(info),
    ...hostLines(info),
    ...settingLines(info),
  ]
  return lines.map((line) => ` ${line}\n`).join('')
}

function containerLines(info: InfoResponse): string[] {
  return [
    `Containers: ${info.Containers}`,
    ` Running: ${info.ContainersRunning}`,
    ` Paused: ${info.ContainersPaused}`,
    ` Stopped: ${info.ContainersStopped}`,
    `Images: ${info.Images}`,
    ...named('Server Version', info.ServerVersion),
  ]
}

function storageLines(info: InfoResponse): string[] {
  return [
    ...named('Storage Driver', info.Driver),
    ...(info.DriverStatus ?? []).map(([name, value]) => ` ${name}: ${value}`),
    ...named('Logging Driver', info.LoggingDriver),
    ...named('Cgroup Driver', info.CgroupDriver),
    ...named('Cgroup Version', info.CgroupVersion),
  ]
}

function pluginLines({ Plugins, CDISpecDirs }: InfoResponse): string[] {
  const authorization =
    (Plugins.Authorization ?? []).length > 0 ? [` Authorization: ${Plugins.Authorization?.join(' ')}`] : []
  const directories =
    (CDISpecDirs ?? []).length > 0 ? ['CDI spec directories:', ...CDISpecDirs.map((path) => ` ${path}`)] : []
  return [
    'Plugins:',
    ` Volume: ${Plugins.Volume.join(' ')}`,
    ` Network: ${Plugins.Network.join(' ')}`,
    ...authorization,
    ` Log: ${Plugins.Log.join(' ')}`,
    ...directories,
  ]
}

function runtimeLines(info: InfoResponse): string[] {
  const runtimes = Object.keys(info.Runtimes ?? {})
  const options = info.SecurityOptions ?? []
  return [
    ...named('Swarm', info.Swarm?.LocalNodeState),
    ...(runtimes.length > 0
      ? [`Runtimes: ${runtimes.toSorted().join(' ')}`, `Default Runtime: ${info.DefaultRuntime}`]
      : []),
    `Init Binary: ${info.InitBinary}`,
    `containerd version: ${info.ContainerdCommit?.ID ?? ''}`,
    `runc version: ${info.RuncCommit?.ID ?? ''}`,
    `init version: ${info.InitCommit?.ID ?? ''}`,
    ...(options.length > 0 ? ['Security Options:', ...options.flatMap(securityLines)] : []),
  ]
}

/** `name=seccomp,profile=builtin`. */
function securityLines(option: string): string[] {
  const fields = option.split(',').map((field) => field.split('='))
  return fields.map(([key = '', value = '']) =>
    key === 'name' ? ` ${value}` : `  ${key.charAt(0).toUpperCase()}${key.slice(1)}: ${value}`,
  )
}

function hostLines(info: InfoResponse): string[] {
  return [
    ...named('Kernel Version', info.KernelVersion),
    ...named('Operating System', info.OperatingSystem),
    ...named('OSType', info.OSType),
    ...named('Architecture', info.Architecture),
    `CPUs: ${info.NCPU}`,
    `Total Memory: ${binarySize(info.MemTotal)}`,
    ...named('Name', info.Name),
    ...named('ID', info.ID),
    `Docker Root Dir: ${info.DockerRootDir}`,
    `Debug Mode: ${info.Debug}`,
    ...(info.Debug ? debugLines(info) : []),
  ]
}

function debugLines(info: InfoResponse): string[] {
  return [
    ` File Descriptors: ${info.NFd}`,
    ` Goroutines: ${info.NGoroutines}`,
    ` System Time: ${info.SystemTime}`,
    ` EventsListeners: ${info.NEventsListener}`,
  ]
}

function settingLines(info: InfoResponse): string[] {
  const insecure = info.RegistryConfig?.InsecureRegistryCIDRs ?? []
  const mirrors = info.RegistryConfig?.Mirrors ?? []
  const pools = info.DefaultAddressPools ?? []
  return [
    ...named('HTTP Proxy', info.HttpProxy),
    ...named('HTTPS Proxy', info.HttpsProxy),
    ...named('No Proxy', info.NoProxy),
    ...listed('Labels', info.Labels ?? []),
    `Experimental: ${info.ExperimentalBuild}`,
    ...listed('Insecure Registries', insecure),
    ...listed('Registry Mirrors', mirrors),
    `Live Restore Enabled: ${info.LiveRestoreEnabled}`,
    ...named('Product License', info.ProductLicense),
    ...listed(
      'Default Address Pools',
      pools.map(({ Base, Size }) => `Base: ${Base}, Size: ${Size}`),
    ),
    ...named('Firewall Backend', info.FirewallBackend?.Driver),
  ]
}

function named(name: string, value: string | undefined): string[] {
  return value === undefined || value === '' ? [] : [`${name}: ${value}`]
}

function listed(name: string, values: readonly string[]): string[] {
  return values.length === 0 ? [] : [`${name}:`, ...values.map((value) => ` ${value}`)]
}
