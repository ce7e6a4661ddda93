import type { EventMessage } from '@berth/engine-api'
import { defineCommand, noArguments } from '../../command.ts'
import { messageOf } from '@berth/base'
import { StatusError } from '../../errors.ts'
import { boolean, filter, string } from '../../flags/flag.ts'
import { parseTimestamp } from '../../options/timestamp.ts'
import { formatHelp } from '../../output/format-help.ts'
import { localTimestamp } from '../../output/units.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Get real time events from the server',
  aliases: ['system events', 'events'],
  count: noArguments,
  flags: {
    explain: boolean('explain', 'Say in sentences what happened, and what to do where something went wrong'),
    filter: filter('f,filter', 'Filter output based on conditions provided'),
    format: string('format', formatHelp),
    since: string('since', 'Show all events created since timestamp'),
    until: string('until', 'Stream events until this timestamp'),
  },
  async run(cli, { flags }) {
    if (flags.explain && flags.format !== '')
      throw new Error('conflicting options: cannot specify both --explain and --format')
    const print = flags.explain ? await explainer() : await printer(flags.format)
    const options = { since: bound(flags.since), until: bound(flags.until), filters: flags.filter }
    for await (const line of cli.engine.system.eventLines(options)) cli.out(`${print(line)}\n`)
  },
})

/** A line of its own for what to do. */
async function explainer(): Promise<(line: string) => string> {
  const { EventExplainer } = await import('./explain-event.ts')
  const events = new EventExplainer()
  return (line) => {
    const { TimeNano } = parseEvent(line)
    const { text, advice } = events.explain(JSON.parse(line) as EventMessage)
    const time = localTimestamp(TimeNano).slice(0, 19).replace('T', ' ')
    return `${time}  ${text}${advice === undefined ? '' : `\n${' '.repeat(21)}-> ${advice}`}`
  }
}

function bound(text: string): string | undefined {
  if (text === '') return undefined
  const timestamp = parseTimestamp(text)
  if (timestamp === undefined) throw new Error(`failed to parse value as time or duration: ${JSON.stringify(text)}`)
  return timestamp
}

async function printer(format: string): Promise<(line: string) => string> {
  if (format === '') return formatEvent
  if (format === 'json') return (line) => line
  const { goType, parseTemplate } = await import('@berth/go-template')
  try {
    const template = parseTemplate(format)
    template.execute({ ...emptyEvent, [goType]: '*events.Message' })
    return (line) => template.execute(parseEvent(line))
  } catch (error) {
    throw new StatusError(64, `Error parsing format: ${messageOf(error)}`)
  }
}

/** A template is tried on it before there are events. */
const emptyEvent = {
  status: '',
  id: '',
  from: '',
  Type: '',
  Action: '',
  Actor: { ID: '', Attributes: {} },
  Scope: '',
  scope: '',
  Time: 0,
  TimeNano: 0,
}

type PreciseEvent = Omit<EventMessage, 'timeNano'> & {
  readonly TimeNano: bigint
  readonly Time: number
  readonly Scope: string
}

/** The time keeps all its nanoseconds; the fields go by their Go names, as templates have them. */
function parseEvent(line: string): PreciseEvent {
  const message = JSON.parse(line) as EventMessage
  const TimeNano = BigInt(/"timeNano":(\d+)/.exec(line)?.[1] ?? BigInt(message.time) * 1_000_000_000n)
  const { timeNano: _rounded, ...event } = message
  // As JSON it is what the engine has sent.
  const data = Object.create({ toJSON: () => ({ ...message, timeNano: TimeNano }) }) as object
  return Object.assign(data, { ...event, TimeNano, Time: event.time, Scope: event.scope })
}

/** `TIME TYPE ACTION ID (name=value, ...)`. */
function formatEvent(line: string): string {
  const { TimeNano, Type, Action, Actor } = parseEvent(line)
  const attributes = Object.entries(Actor.Attributes ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
  const suffix = attributes.length > 0 ? ` (${attributes.join(', ')})` : ''
  return `${localTimestamp(TimeNano)} ${Type} ${Action} ${Actor.ID}${suffix}`
}
