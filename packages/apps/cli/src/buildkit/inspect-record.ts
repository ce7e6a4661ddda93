import type { BuildHistoryRecord } from '@berth/buildkit-protocol'
import { durationOf, durationText, nameOf, startOf, statusOf } from './history.ts'
import { secondsOf } from './progress/trace.ts'

/** What is known of a build, for programs. */
export function recordDocument(record: BuildHistoryRecord): Record<string, unknown> {
  const { frontendAttrs: attrs, error, completedAt } = record
  return {
    ...(nameOf(record) !== '' && { Name: nameOf(record) }),
    Ref: record.ref,
    ...(attrs['context'] !== undefined && { Context: attrs['context'] }),
    Dockerfile: attrs['filename'] ?? 'Dockerfile',
    ...(attrs['target'] !== undefined && { Target: attrs['target'] }),
    ...(attrs['platform'] !== undefined && { Platform: attrs['platform'].split(',') }),
    StartedAt: new Date(startOf(record) * 1000).toISOString(),
    ...(completedAt && { CompletedAt: new Date(secondsOf(completedAt) * 1000).toISOString() }),
    Duration: Math.round(durationOf(record) * 1e9),
    Status: statusOf(record).toLowerCase(),
    ...(error && { Error: { Code: error.code, Message: error.message } }),
    NumCompletedSteps: record.numCompletedSteps,
    NumTotalSteps: record.numTotalSteps,
    NumCachedSteps: record.numCachedSteps,
    ...named('BuildArgs', pairs(record, 'build-arg:')),
    ...named('Labels', pairs(record, 'label:')),
    Config: {
      ...(attrs['image-resolve-mode'] !== undefined && { ImageResolveMode: attrs['image-resolve-mode'] }),
      ...(attrs['no-cache'] === '' && { NoCache: true }),
      ...(attrs['no-cache'] && { NoCacheFilter: attrs['no-cache'].split(',') }),
      ...(attrs['force-network-mode'] !== undefined && { Network: attrs['force-network-mode'] }),
    },
  }
}

type Pair = { readonly Name: string; readonly Value: string }

const named = (name: string, found: readonly Pair[]): Record<string, readonly Pair[]> =>
  found.length === 0 ? {} : { [name]: found }

const pairs = ({ frontendAttrs }: BuildHistoryRecord, prefix: string): Pair[] =>
  Object.entries(frontendAttrs)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, Value]) => ({ Name: name.slice(prefix.length), Value }))
    .toSorted((a, b) => (a.Name < b.Name ? -1 : 1))

/** The same, for people. */
export function recordText(record: BuildHistoryRecord): string {
  const { frontendAttrs: attrs, error } = record
  const { numCompletedSteps: done, numTotalSteps: total, numCachedSteps: cached } = record
  const percent = total === 0 ? 0 : Math.floor((100 * cached) / total)
  const started = new Date(startOf(record) * 1000)
  const blocks: (readonly (readonly [string, string | undefined])[])[] = [
    [
      ['Name', nameOf(record)],
      ['Ref', record.ref],
      ['Context', attrs['context']],
      ['Dockerfile', attrs['filename'] ?? 'Dockerfile'],
      ['Target', attrs['target']],
      ['Platforms', attrs['platform']],
    ],
    [
      ['Started', localTime(started)],
      ['Duration', durationText(durationOf(record))],
      ['Status', statusOf(record)],
      ['Error', error?.message],
      ['Build Steps', `${done}/${total}${total === 0 ? '' : ` (${percent}% cached)`}`],
    ],
    [
      ['Image Resolve Mode', attrs['image-resolve-mode']],
      ['No Cache', attrs['no-cache'] === '' ? 'true' : undefined],
      ['No Cache Filter', attrs['no-cache']],
      ['Network', attrs['force-network-mode']],
    ],
    pairs(record, 'build-arg:').map(({ Name, Value }) => [`Build Arg ${Name}`, Value] as const),
    pairs(record, 'label:').map(({ Name, Value }) => [`Label ${Name}`, Value] as const),
  ]
  const texts = blocks.map((lines) =>
    lines
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([name, value]) => `${name}:\t${name.length < 7 ? '\t' : ''}${String(value)}\n`)
      .join(''),
  )
  return texts.filter(Boolean).join('\n')
}

function localTime(date: Date): string {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 19).replace('T', ' ')
}
