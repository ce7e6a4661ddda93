import type { EventMessage } from '@berth/engine-api'
import { defineCommand, noArguments } from '../../command.ts'
import { messageOf } from '@berth/base'
import { StatusError } from '../../errors.ts'
import { filter, string } from '../../flags/flag.ts'
import { parseTimestamp } from '../../options/timestamp.ts'
import { formatHelp } from '../../output/format-help.ts'
import { localTimestamp } from '../../output/units.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Get real time events from the server',
  aliases: ['system events', 'events'],
  count: noArguments,
  flags: {
    filter: filter('f,filter', 'Filter output based on conditions provided'),
    format: string('format', formatHelp),
    since: string('since', 'Show all events created since timestamp'),
    until: string('until', 'Stream events until this timestamp'),
  },
  async run(cli, { flags }) {
    const print = await printer(flags.format)
    const options = { since: bound(flags.since), until: bound(flags.until), filters: flags.filter }
    for await (const event of cli.engine.system.events(options)) cli.out(`${print(event)}\n`)
  },
})

function bound(text: string): string | undefined {
  if (text === '') return undefined
  const timestamp = parseTimestamp(text)
  if (timestamp === undefined) throw new Error(`failed to parse value as time or duration: ${JSON.stringify(text)}`)
  return timestamp
}

async function printer(format: string): Promise<(event: EventMessage) => string> {
  if (format === '') return formatEvent
  if (format === 'json') return (event) => JSON.stringify(event)
  const { parseTemplate } = await import('@berth/go-template')
  try {
    const template = parseTemplate(format)
    return (event) => template.execute(event)
  } catch (error) {
    throw new StatusError(64, `Error parsing format: ${messageOf(error)}`)
  }
}

/** `TIME TYPE ACTION ID (name=value, ...)`. */
function formatEvent({ time, timeNano, Type, Action, Actor }: EventMessage): string {
  const attributes = Object.entries(Actor.Attributes ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
  const when = localTimestamp(timeNano > 0 ? BigInt(timeNano) : BigInt(time) * 1_000_000_000n)
  return `${when} ${Type} ${Action} ${Actor.ID}${attributes.length > 0 ? ` (${attributes.join(', ')})` : ''}`
}
