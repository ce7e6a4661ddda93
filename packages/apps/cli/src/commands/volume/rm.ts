import { atLeast, defineCommand } from '../../command.ts'
import { describeFailure, StatusError } from '../../errors.ts'
import { boolean } from '../../flags/flag.ts'

export const command = defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  summary: 'Remove one or more volumes',
  aliases: ['volume rm', 'volume remove'],
  count: atLeast(1),
  flags: { force: boolean('f,force', 'Force the removal of one or more volumes') },
  async run(cli, { args, flags }) {
    const failures: string[] = []
    // One after the other: a name may be given twice.
    for (const name of args) {
      try {
        await cli.engine.volumes.remove(name, { force: flags.force || undefined })
        cli.out(`${name}\n`)
      } catch (error) {
        failures.push(describeFailure(error))
      }
    }
    if (failures.length > 0) throw new StatusError(1, failures.join('\n'))
  },
})
