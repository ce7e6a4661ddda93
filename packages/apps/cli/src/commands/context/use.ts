import { defineCommand, exactly } from '../../command.ts'
import { updateConfigFile } from '../../config-file.ts'
import { defaultContextName, readContext } from '../../context/context-store.ts'
import { hostVariable } from '../../context/current-context.ts'
import { checkContextName } from '../../context/default-context.ts'

export const command = defineCommand({
  usage: 'CONTEXT',
  summary: 'Set the current docker context',
  count: exactly(1),
  flags: {},
  async run(cli, { args }) {
    const [name = ''] = args
    if (name !== defaultContextName) {
      checkContextName(name)
      readContext(cli.configDirectory, name)
    }
    const chosen = name === defaultContextName ? undefined : name
    updateConfigFile(cli.configDirectory, (config) => ({ ...config, currentContext: chosen }))
    cli.out(`${name}\n`)
    cli.err(`Current context is now ${JSON.stringify(name)}\n`)
    const variable = hostVariable(cli.env)
    if (variable === undefined || chosen === undefined) return
    cli.err(
      `Warning: ${variable} environment variable overrides the active context. To use ${JSON.stringify(name)}, ` +
        `either set the global --context flag, or unset ${variable} environment variable.\n`,
    )
  },
})
