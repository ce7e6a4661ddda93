import { defineCommand, exactly } from '../../command.ts'
import { readContext, writeContext, writeTlsFiles } from '../../context/context-store.ts'
import { checkContextName } from '../../context/default-context.ts'
import { buildEndpoint, endpointFlag, endpointHelp } from '../../context/endpoint-flag.ts'
import { string } from '../../flags/flag.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTEXT',
  summary: 'Update a context',
  details: endpointHelp,
  count: exactly(1),
  flags: {
    description: string('description', 'Description of the context'),
    docker: endpointFlag,
  },
  async run(cli, { args, flags, changed }) {
    const [name = ''] = args
    checkContextName(name)
    const old = readContext(cli.configDirectory, name)
    const built = changed('docker') ? buildEndpoint(cli, flags.docker) : undefined
    writeContext(cli.configDirectory, {
      ...old,
      Metadata: changed('description') ? { ...old.Metadata, Description: flags.description } : old.Metadata,
      Endpoints: built === undefined ? old.Endpoints : { ...old.Endpoints, docker: built.endpoint },
    })
    if (built !== undefined) writeTlsFiles(cli.configDirectory, name, built.tls)
    cli.out(`${name}\n`)
    cli.err(`Successfully updated context ${JSON.stringify(name)}\n`)
  },
})
