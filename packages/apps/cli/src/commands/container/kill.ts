import { atLeast, defineCommand } from '../../command.ts'
import { string } from '../../flags/flag.ts'
import { forEachName } from './for-each.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Kill one or more running containers',
  aliases: ['container kill', 'kill'],
  count: atLeast(1),
  flags: { signal: string('s,signal', 'Signal to send to the container') },
  async run(cli, { args, flags }) {
    const signal = flags.signal === '' ? undefined : flags.signal
    await forEachName(cli, args, (name) => cli.engine.containers.kill(name, signal))
  },
})
