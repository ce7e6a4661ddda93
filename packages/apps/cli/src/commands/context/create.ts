import { defineCommand, exactly } from '../../command.ts'
import { hasContext, writeContext, writeTlsFiles } from '../../context/context-store.ts'
import { checkContextName, defaultContext } from '../../context/default-context.ts'
import { buildEndpoint, copyEndpoint, endpointFlag, endpointHelp } from '../../context/endpoint-flag.ts'
import { defaultDescription } from '../../context/default-context.ts'
import { currentContext } from '../../context/current-context.ts'
import { readContext } from '../../context/context-store.ts'
import type { Cli } from '../../cli.ts'
import type { Context } from '../../context/context-store.ts'
import { string } from '../../flags/flag.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTEXT',
  summary: 'Create a context',
  details: endpointHelp,
  count: exactly(1),
  flags: {
    description: string('description', 'Description of the context'),
    docker: endpointFlag,
    from: string('from', 'create context from a named context'),
  },
  async run(cli, { args, flags, changed }) {
    const [name = ''] = args
    checkContextName(name)
    if (hasContext(cli.configDirectory, name)) throw new Error(`context ${JSON.stringify(name)} already exists`)
    if (flags.from !== '' && changed('docker')) throw new Error('cannot use --docker flag when --from is set')
    const copies = flags.from !== '' || !changed('docker')
    const source = flags.from === '' ? currentContext(cli.contextSources) : flags.from
    const { endpoint, tls } = copies ? copyEndpoint(cli, source) : buildEndpoint(cli, flags.docker)
    const base = copies ? describe(cli, source) : {}
    const Metadata = flags.description === '' ? base : { ...base, Description: flags.description }
    writeTlsFiles(cli.configDirectory, name, tls)
    writeContext(cli.configDirectory, { Name: name, Metadata, Endpoints: { docker: endpoint } })
    cli.out(`${name}\n`)
    cli.err(`Successfully created context ${JSON.stringify(name)}\n`)
  },
})

/** What a copy says of itself: as its source, or that it was made from the environment. */
function describe(cli: Cli, source: string): Context['Metadata'] {
  if (source === defaultContext(cli).Name) return { Description: defaultDescription }
  return readContext(cli.configDirectory, source).Metadata
}
