import type { Cli } from '../../cli.ts'
import { defineCommand, noArguments } from '../../command.ts'
import { type Context, listContexts, readContext } from '../../context/context-store.ts'
import { currentContext, hostVariable } from '../../context/current-context.ts'
import { defaultContext, defaultDescription } from '../../context/default-context.ts'
import { messageOf } from '@berth/base'
import { boolean, string } from '../../flags/flag.ts'
import { tableFormatHelp } from '../../output/format-help.ts'
import { compareNaturally } from '../../output/natural-order.ts'
import { ellipsis } from '../../output/text.ts'
import { render, type View } from '../../output/view.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'List contexts',
  aliases: ['context ls', 'context list'],
  count: noArguments,
  flags: {
    format: string('format', tableFormatHelp),
    quiet: boolean('q,quiet', 'Only show context names'),
  },
  async run(cli, { flags }) {
    const rows = listRows(cli).toSorted((a, b) => compareNaturally(a.name, b.name))
    const defaults = ['Name', 'Description', 'DockerEndpoint', 'Error']
    const marks = flags.format === '' || flags.format === 'table'
    if (flags.quiet) cli.out(rows.map(({ name }) => `${name}\n`).join(''))
    else await render(cli, rows, contextView(marks), { format: flags.format, defaults })
    const variable = hostVariable(cli.env)
    if (variable === undefined || cli.globals.context !== '') return
    cli.err(
      `Warning: ${variable} environment variable overrides the active context. To use a context, either set the ` +
        `global --context flag, or unset ${variable} environment variable.\n`,
    )
  },
})

interface ContextRow {
  readonly name: string
  readonly description: string
  readonly host: string
  readonly current: boolean
  readonly error: string
}

function listRows(cli: Cli): ContextRow[] {
  const current = currentContext(cli.contextSources)
  const fallback = { ...defaultContext(cli), Metadata: { Description: defaultDescription } }
  const known = [fallback, ...listContexts(cli.configDirectory)].map((context) => rowOf(context, current))
  return known.some(({ name }) => name === current) ? known : [...known, absentRow(cli, current)]
}

function rowOf({ Name, Metadata, Endpoints }: Context, current: string): ContextRow {
  const host = Endpoints.docker?.Host ?? ''
  return { name: Name, description: Metadata.Description ?? '', host, current: Name === current, error: '' }
}

/** A context that is in use and not there. */
function absentRow(cli: Cli, name: string): ContextRow {
  const row = { name, description: '', host: '', current: true }
  try {
    return rowOf(readContext(cli.configDirectory, name), name)
  } catch (error) {
    return { ...row, error: messageOf(error) }
  }
}

const errorColumns = 45

function contextView(marks: boolean): View<ContextRow> {
  return {
    goType: '*formatter.clientContextContext',
    columns: {
      Name: { header: 'NAME', value: ({ name, current }) => (marks && current ? `${name} *` : name) },
      Description: { header: 'DESCRIPTION', value: ({ description }) => description },
      DockerEndpoint: { header: 'DOCKER ENDPOINT', value: ({ host }) => host },
      Error: { header: 'ERROR', value: ({ error }) => (marks ? ellipsis(error, errorColumns) : error) },
      Current: { header: '', value: ({ current }) => current },
    },
  }
}
