import { controlMethods } from '@berth/buildkit-client'
import { GrpcError, type BuildHistoryRecord } from '@berth/buildkit-protocol'
import {
  durationOf,
  durationText,
  findRecord,
  listRecords,
  nameOf,
  startOf,
  statusOf,
  withDoor,
} from '../../buildkit/history.ts'
import { recordDocument, recordText } from '../../buildkit/inspect-record.ts'
import { PlainView } from '../../buildkit/progress/plain-view.ts'
import { RawJsonView } from '../../buildkit/progress/raw-json-view.ts'
import { atLeast, between, defineCommand, noArguments } from '../../command.ts'
import { currentContext } from '../../context/current-context.ts'
import { boolean, list as listFlag, string } from '../../flags/flag.ts'
import { ago } from '../../output/units.ts'
import { render, type View } from '../../output/view.ts'

const view: View<BuildHistoryRecord> = {
  goType: 'history.lsContext',
  columns: {
    Ref: { header: 'BUILD ID', value: ({ ref }) => ref },
    Name: { header: 'NAME', value: nameOf },
    Status: { header: 'STATUS', value: shownStatus },
    CreatedAt: { header: 'CREATED AT', value: (record) => ago(startOf(record)) },
    Duration: { header: 'DURATION', value: (record) => durationText(durationOf(record)) },
  },
}

/** In a list, what was stopped is what failed. */
function shownStatus(record: BuildHistoryRecord): string {
  const status = statusOf(record)
  return status === 'Canceled' ? 'Error' : status
}

export const list = defineCommand({
  usage: '[OPTIONS]',
  summary: 'List build records',
  aliases: ['buildx history ls', 'builder history ls'],
  count: noArguments,
  flags: {
    filter: listFlag('filter', 'Provide filter values (e.g., "status=error")', { placeholder: 'stringArray' }),
    format: string('format', 'Format the output (default "table")'),
    noTrunc: boolean('no-trunc', "Don't truncate output"),
  },
  async run(cli, { flags }) {
    const records = (await withDoor(cli, listRecords)).filter((record) =>
      flags.filter.every((one) => matches(record, one)),
    )
    if (flags.format !== 'json')
      return await render(cli, records, view, { format: flags.format, defaults: Object.keys(view.columns) })
    const context = currentContext(cli.contextSources)
    for (const record of records) cli.out(`${JSON.stringify(summaryOf(record, context))}\n`)
  },
})

const summaryOf = (record: BuildHistoryRecord, context: string) => {
  const { CompletedAt, StartedAt } = recordDocument(record)
  return {
    cached_steps: record.numCachedSteps,
    ...(CompletedAt !== undefined && { completed_at: CompletedAt }),
    completed_steps: record.numCompletedSteps,
    created_at: StartedAt,
    name: nameOf(record),
    ref: `${context}/${context}/${record.ref}`,
    status: shownStatus(record),
    total_steps: record.numTotalSteps,
  }
}

/** `ref=`, `status=`, `target=`; throws for a filter that there is not. */
function matches(record: BuildHistoryRecord, filter: string): boolean {
  const [, name = '', isNot = '', value = ''] = /^(\w+)(!?)=(.*)$/s.exec(filter) ?? []
  const values: Readonly<Record<string, string>> = {
    ref: record.ref,
    status: statusOf(record).toLowerCase(),
    target: record.frontendAttrs['target'] ?? '',
  }
  const found = Object.hasOwn(values, name) ? values[name] : undefined
  if (found === undefined) throw new Error(`invalid filter ${JSON.stringify(filter)}`)
  return (found === value) !== (isNot === '!')
}

export const inspect = defineCommand({
  usage: '[OPTIONS] [REF]',
  summary: 'Inspect a build record',
  aliases: ['buildx history inspect', 'builder history inspect'],
  count: between(0, 1),
  flags: { format: string('format', 'Format the output: pretty, json') },
  async run(cli, { args, flags }) {
    const record = await withDoor(cli, (door) => findRecord(door, args[0] ?? ''))
    switch (flags.format) {
      case '':
      case 'pretty':
        return cli.out(recordText(record))
      case 'json':
        return cli.out(`${JSON.stringify(recordDocument(record), undefined, 2)}\n`)
      default:
        throw new Error(`unsupported format ${flags.format}: pretty, json`)
    }
  },
})

export const logs = defineCommand({
  usage: '[OPTIONS] [REF]',
  summary: 'Print the logs of a build record',
  aliases: ['buildx history logs', 'builder history logs'],
  count: between(0, 1),
  flags: { progress: string('progress', 'Set type of progress output (plain, rawjson)', 'plain') },
  async run(cli, { args, flags }) {
    if (!['plain', 'rawjson'].includes(flags.progress)) throw new Error(`unsupported progress type ${flags.progress}`)
    const write = (text: string): void => cli.out(text)
    const shown = flags.progress === 'rawjson' ? new RawJsonView(write) : new PlainView(write)
    await withDoor(cli, async (door) => {
      const { ref } = await findRecord(door, args[0] ?? '')
      const call = door.client.open(controlMethods.status)
      await call.send({ ref })
      call.end()
      for await (const status of call.messages) shown.take(status, '')
    })
    shown.end()
  },
})

export const remove = defineCommand({
  usage: '[OPTIONS] [REF...]',
  summary: 'Remove build records',
  aliases: ['buildx history rm', 'builder history rm'],
  count: atLeast(0),
  flags: { all: boolean('all', 'Remove all build records') },
  async run(cli, { args, flags }) {
    if (args.length === 0 && !flags.all) throw new Error('rm requires at least one argument')
    if (args.length > 0 && flags.all) throw new Error('rm requires either --all or at least one argument')
    await withDoor(cli, async (door) => {
      const refs = flags.all ? (await listRecords(door)).map(({ ref }) => ref) : args
      for (const ref of refs) await removeRecord(door, ref.slice(ref.lastIndexOf('/') + 1))
    })
  },
})

async function removeRecord({ client }: Parameters<typeof listRecords>[0], ref: string): Promise<void> {
  try {
    await client.call(controlMethods.updateBuildHistory, { ref, delete: true })
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error
    throw new Error(error.message, { cause: error })
  }
}
