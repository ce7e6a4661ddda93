import { join } from 'node:path'
import type { Cli } from '../cli.ts'
import type { BuildRequest } from './build-request.ts'
import { excerptOf, type SourceRange } from './source-excerpt.ts'

type Metadata = Readonly<Record<string, Uint8Array>>

/** Prints what the frontend answers to `--call`; resolves to the exit code. */
export function answerCall(cli: Cli, request: BuildRequest, metadata: Metadata): number {
  const { call } = request
  if (call === undefined) throw new Error('nothing was asked')
  const text = (name: string): string => Buffer.from(metadata[name] ?? new Uint8Array()).toString()
  const render = renderers[call.name]
  const json = text('result.json')
  if (call.format === 'json') cli.out(`${json}\n`)
  else if (call.name === 'lint') tellLint(cli, JSON.parse(json) as LintDocument, request)
  else cli.out(render === undefined || json === '' ? text('result.txt') : render(JSON.parse(json) as never))
  return call.ignoresStatus ? 0 : Number(text('result.statuscode') || '0')
}

const renderers: Readonly<Record<string, (document: never) => string>> = {
  outline: outlineText,
  targets: targetsText,
  'subrequests.describe': requestsText,
}

interface Location {
  readonly ranges?: readonly SourceRange[]
  readonly sourceIndex?: number
}

interface LintDocument {
  readonly warnings?:
    | readonly {
        readonly ruleName: string
        readonly url?: string
        readonly detail: string
        readonly location?: Location
      }[]
    | null
  readonly sources?: readonly { readonly filename?: string; readonly data?: string }[]
  readonly buildError?: { readonly message: string; readonly location?: Location }
}

/** Warnings are the answer; what is wrong with the Dockerfile is an error. */
function tellLint(cli: Cli, { warnings, sources = [], buildError }: LintDocument, request: BuildRequest): void {
  const found = warnings ?? []
  const excerpt = (location: Location = {}): string => {
    const data = sources[location.sourceIndex ?? 0]?.data ?? ''
    return excerptOf({ info: { filename: shownName(request), data }, ranges: location.ranges ?? [] })
  }
  if (found.length === 0 && !buildError) cli.out('Check complete, no warnings found.\n')
  if (found.length > 0) {
    const count = found.length === 1 ? '1 warning has been found!' : `${found.length} warnings have been found!`
    cli.out(`Check complete, ${count}\n`)
  }
  for (const { ruleName, url = '', detail, location } of found) {
    cli.out(`\nWARNING: ${ruleName}${url === '' ? '' : ` - ${url}`}\n${detail}\n${excerpt(location)}`)
  }
  if (buildError) cli.err(`ERROR: ${buildError.message}\n${excerpt(buildError.location)}\n`)
}

/** The Dockerfile as the user would name it. */
function shownName({ dockerfile, context }: BuildRequest): string {
  if (dockerfile === '-' || context === '-') return 'Dockerfile'
  return dockerfile === '' ? join(context, 'Dockerfile') : dockerfile
}

interface OutlineDocument {
  readonly name?: string
  readonly description?: string
  readonly args?: readonly { readonly name: string; readonly value?: string; readonly description?: string }[]
  readonly secrets?: readonly { readonly name: string; readonly required?: boolean }[]
  readonly ssh?: readonly { readonly name: string; readonly required?: boolean }[]
}

function outlineText({ name = '', description = '', args = [], secrets = [], ssh = [] }: OutlineDocument): string {
  const target = name === '' && description === '' ? [] : [['TARGET:', name === '' ? '(default)' : name]]
  if (description !== '') target.push(['DESCRIPTION:', description])
  const mounts = (title: string, found: NonNullable<OutlineDocument['ssh']>): string =>
    section(
      [title, 'REQUIRED'],
      found.map((one) => [one.name, one.required === true ? 'true' : '']),
    )
  return [
    target.length === 0 ? '' : `${columns(target, 1)}\n`,
    section(
      ['BUILD ARG', 'VALUE', 'DESCRIPTION'],
      args.map((arg) => [arg.name, arg.value ?? '', arg.description ?? '']),
    ),
    mounts('SECRET', secrets),
    mounts('SSH', ssh),
  ].join('')
}

const section = (heading: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0 ? '' : `${columns([heading, ...rows], 3)}\n`

interface TargetsDocument {
  readonly targets?: readonly { readonly name?: string; readonly description?: string; readonly default?: boolean }[]
}

function targetsText({ targets = [] }: TargetsDocument): string {
  const rows = targets.map((target) => {
    const name = target.name ?? ''
    const shown = target.default === true ? `${name === '' ? '' : `${name} `}(default)` : name
    return [shown, target.description ?? '']
  })
  return columns([['TARGET', 'DESCRIPTION'], ...rows], 1)
}

function requestsText(
  requests: readonly { readonly name: string; readonly version?: string; readonly description?: string }[],
): string {
  const rows = requests.map(({ name, version = '', description = '' }) => [
    name.replace(/^frontend\./, ''),
    version,
    description,
  ])
  return columns([['NAME', 'VERSION', 'DESCRIPTION'], ...rows], 1)
}

/** Rows in columns, all but the last padded to the widest and `gap` more. */
function columns(rows: readonly (readonly string[])[], gap: number): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)) + gap)
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join('')
  return rows.map((row) => `${line(row)}\n`).join('')
}
