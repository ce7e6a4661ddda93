import { messageOf } from '@berth/base'
import type { Cli } from '../../cli.ts'
import { atLeast, defineCommand } from '../../command.ts'
import { updateConfigFile } from '../../config-file.ts'
import { defaultContextName, hasContext, removeContext } from '../../context/context-store.ts'
import { currentContext } from '../../context/current-context.ts'
import { StatusError } from '../../errors.ts'
import { boolean } from '../../flags/flag.ts'

export const command = defineCommand({
  usage: 'CONTEXT [CONTEXT...]',
  summary: 'Remove one or more contexts',
  aliases: ['context rm', 'context remove'],
  count: atLeast(1),
  flags: { force: boolean('f,force', 'Force the removal of a context in use') },
  async run(cli, { args, flags }) {
    const failures: string[] = []
    for (const name of args) {
      try {
        removeOne(cli, name, flags.force)
        cli.out(`${name}\n`)
      } catch (error) {
        failures.push(messageOf(error))
      }
    }
    if (failures.length > 0) throw new StatusError(1, failures.join('\n'))
  },
})

function removeOne(cli: Cli, name: string, force: boolean): void {
  const quoted = JSON.stringify(name)
  if (name === defaultContextName) throw new Error('context "default" cannot be removed')
  if (!force && !hasContext(cli.configDirectory, name)) throw new Error(`context ${quoted} does not exist`)
  if (name === currentContext(cli.contextSources)) {
    if (!force) throw new Error(`context ${quoted} is in use, set -f flag to force remove`)
    updateConfigFile(cli.configDirectory, (config) => ({ ...config, currentContext: undefined }))
  }
  removeContext(cli.configDirectory, name)
}
