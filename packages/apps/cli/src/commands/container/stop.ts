import { atLeast, defineCommand } from '../../command.ts'
import { hidden, integer, string } from '../../flags/flag.ts'
import { forEachName } from './for-each.ts'

const timeHelp = 'Seconds to wait before killing the container'

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Stop one or more running containers',
  aliases: ['container stop', 'stop'],
  count: atLeast(1),
  flags: {
    signal: string('s,signal', 'Signal to send to the container'),
    timeout: integer('t,timeout', timeHelp),
    time: hidden(integer('time', timeHelp)),
  },
  async run(cli, { args, flags, changed }) {
    if (changed('time') && changed('timeout'))
      throw new Error('conflicting options: cannot specify both --timeout and --time')
    const timeout = changed('timeout') ? flags.timeout : changed('time') ? flags.time : undefined
    const signal = flags.signal === '' ? undefined : flags.signal
    await forEachName(cli, args, (name) => cli.engine.containers.stop(name, { signal, timeout }))
  },
})
