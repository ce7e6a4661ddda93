import { defineCommand, exactly } from '../../command.ts'
import { describeFailure, StatusError } from '../../errors.ts'

export const command = defineCommand({
  usage: 'CONTAINER NEW_NAME',
  summary: 'Rename a container',
  aliases: ['container rename', 'rename'],
  count: exactly(2),
  flags: {},
  async run(cli, { args }) {
    const [oldName = '', newName = ''] = args.map((name) => name.trim())
    if (oldName === '' || newName === '') throw new StatusError(1, 'Error: Neither old nor new names may be empty')
    await cli.engine.containers.rename(oldName, newName).catch((error: unknown) => {
      throw new StatusError(1, `${describeFailure(error)}\nError: failed to rename container named ${oldName}`)
    })
  },
})
