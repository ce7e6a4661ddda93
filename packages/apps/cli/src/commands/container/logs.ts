import { Demultiplexer } from '@berth/engine-client'
import { defineCommand, exactly } from '../../command.ts'
import { boolean, string } from '../../flags/flag.ts'
import { parseTimestamp } from '../../options/timestamp.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  summary: 'Fetch the logs of a container',
  aliases: ['container logs', 'logs'],
  count: exactly(1),
  flags: {
    details: boolean('details', 'Show extra details provided to logs'),
    follow: boolean('f,follow', 'Follow log output'),
    since: string(
      'since',
      'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    ),
    tail: string('n,tail', 'Number of lines to show from the end of the logs (default "all")', 'all'),
    timestamps: boolean('t,timestamps', 'Show timestamps'),
    until: string(
      'until',
      'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    ),
  },
  async run(cli, { args, flags }) {
    const container = await cli.engine.containers.inspect(args[0] ?? '')
    const response = await cli.engine.containers.logs(container.Id, {
      stdout: true,
      stderr: true,
      follow: flags.follow || undefined,
      timestamps: flags.timestamps || undefined,
      details: flags.details || undefined,
      tail: flags.tail,
      since: bound('since', flags.since),
      until: bound('until', flags.until),
    })
    const demultiplexer = container.Config.Tty ? undefined : new Demultiplexer()
    for await (const chunk of response.body) {
      if (demultiplexer === undefined) cli.out(chunk)
      else for (const { stream, data } of demultiplexer.push(chunk)) (stream === 'stderr' ? cli.err : cli.out)(data)
    }
  },
})

function bound(name: string, text: string): string | undefined {
  if (text === '') return undefined
  const timestamp = parseTimestamp(text)
  if (timestamp === undefined) {
    throw new Error(`invalid value for "${name}": failed to parse value as time or duration: ${JSON.stringify(text)}`)
  }
  return timestamp
}
