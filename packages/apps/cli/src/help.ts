import type { AnyCommand } from './command.ts'
import { formatFlags } from './flags/usage.ts'
import { globalFlags } from './global-flags.ts'
import type { Entry } from './registry-entry.ts'
import { groups } from './registry.ts'

/** `Usage:  berth ps [OPTIONS]`. */
export function usageLine(command: AnyCommand, path: string): string {
  return `Usage:  ${path}${command.usage === '' ? '' : ` ${command.usage}`}`
}

/** The whole help of one command. */
export function commandHelp(command: AnyCommand, path: string, width: number): string {
  const aliases = command.aliases?.map((alias) => `berth ${alias}`).join(', ')
  const blocks = [usageLine(command, path), command.summary]
  if (command.details !== undefined) blocks.push(command.details)
  if (aliases !== undefined) blocks.push(`Aliases:\n  ${aliases}`)
  const flags = formatFlags(command.flags, width)
  if (flags !== '') blocks.push(`Options:\n${flags}`.trimEnd())
  return `${blocks.join('\n\n')}\n`
}

/** The help of a group such as `berth container`. */
export function groupHelp(entry: Entry, path: string): string {
  const blocks = [`Usage:  ${path} COMMAND`, entry.summary, `Commands:\n${listEntries(entry.children ?? {})}`.trimEnd()]
  return `${blocks.join('\n\n')}\n\nRun '${path} COMMAND --help' for more information on a command.\n`
}

/** The help of `berth` itself. */
export function topHelp(width: number, plugins: readonly PluginSummary[] = [], hideLegacy = false): string {
  const lists = groups.map((group) => {
    const added = group.title === 'Management Commands' ? pluginEntries(plugins) : {}
    const commands = Object.entries({ ...group.commands, ...added })
      .filter(([, entry]) => !hideLegacy || group.title !== 'Commands' || !isLegacy(entry))
      .toSorted(sortsBy(group.title))
    return `${group.title}:\n${listEntries(Object.fromEntries(commands))}`.trimEnd()
  })
  const options = `Global Options:\n${formatFlags(globalFlags, width)}`.trimEnd()
  const blocks = ['Usage:  berth [OPTIONS] COMMAND', 'A container platform for Linux', ...lists, options]
  return `${blocks.join('\n\n')}\n\nRun 'berth COMMAND --help' for more information on a command.\n`
}

export interface PluginSummary {
  readonly Name: string
  readonly ShortDescription?: string
}

/** Plugins are marked by an asterisk. */
function pluginEntries(plugins: readonly PluginSummary[]): Record<string, Entry> {
  return Object.fromEntries(
    plugins.map(({ Name, ShortDescription = '' }) => [`${Name}*`, { summary: ShortDescription, children: {} }]),
  )
}

/** Whether a group of commands has it too: `berth logs` is `berth container logs`. */
function isLegacy(entry: Entry): boolean {
  const grouped = groups.flatMap(({ commands }) =>
    Object.values(commands).flatMap(({ children }) => Object.values(children ?? {})),
  )
  return entry.load !== undefined && grouped.some(({ load }) => load === entry.load)
}

/** Only the common commands stand in an order of their own. */
function sortsBy(title: string): (a: [string, Entry], b: [string, Entry]) => number {
  return title === 'Common Commands' ? () => 0 : ([a], [b]) => (a < b ? -1 : 1)
}

function listEntries(entries: Readonly<Record<string, Entry>>): string {
  const shown = Object.entries(entries).filter(([, entry]) => entry.alias !== true && isThere(entry))
  const width = Math.max(11, ...shown.map(([name]) => name.length))
  return shown.map(([name, entry]) => `  ${name.padEnd(width)} ${entry.summary}\n`).join('')
}

function isThere({ missing, load, children }: Entry): boolean {
  return missing !== true && (load !== undefined || children !== undefined)
}
