import { writeFileSync } from 'node:fs'
import { goJson, groupJson, type Json, type Selection, targetJson } from '@berth/bake'
import { answerCall } from '../buildkit/answer-call.ts'
import type { BuildRequest, CallSpec } from '../buildkit/build-request.ts'
import { metadataOf } from '../buildkit/metadata.ts'
import type { ProgressMode } from '../buildkit/progress/open-view.ts'
import type { BuildResult } from '../buildkit/run-builds.ts'
import { showBuilds } from '../buildkit/show-builds.ts'
import type { Cli } from '../cli.ts'
import { proxyVariables } from '../options/proxies.ts'
import type { BakeFile } from './bake-files.ts'
import { loadedFiles } from './loaded-files.ts'
import { targetRequest } from './target-request.ts'

export interface BakeRun {
  readonly files: readonly BakeFile[]
  readonly mode: ProgressMode
  /** '' for none. */
  readonly metadataFile: string
  /** What `--call` asks of all targets. */
  readonly call: CallSpec | undefined
}

/** Builds the targets side by side; resolves to the exit code. */
export async function buildTargets(cli: Cli, selection: Selection, run: BakeRun): Promise<number> {
  const targets = [...selection.targets.values()]
  const named = targets.map((target) => targetRequest(target, (known) => proxyVariables(cli, known)))
  // The steps of the only target do not tell its name.
  const requests = named.length === 1 ? named.map((request) => ({ ...request, name: '' })) : named
  const { results } = await showBuilds(cli, requests, { mode: run.mode, before: loadedFiles(run.files), failure: '' })
  const byName = new Map(targets.map(({ name }, at) => [name, results.get(requests[at]!.name)!]))
  if (run.metadataFile !== '') writeMetadata(cli, run.metadataFile, byName)
  return answerCalls(cli, { selection, results: byName, requests: named, call: run.call })
}

function writeMetadata(cli: Cli, path: string, results: ReadonlyMap<string, BuildResult>): void {
  const sorted = [...results].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const metadata = Object.fromEntries(sorted.map(([name, result]) => [name, metadataOf(cli, result)]))
  writeFileSync(path, JSON.stringify(metadata, undefined, 2))
}

interface Answered {
  readonly selection: Selection
  readonly results: ReadonlyMap<string, BuildResult>
  readonly requests: readonly BuildRequest[]
  readonly call: CallSpec | undefined
}

/** Prints what was asked instead of built: one target after the other, or all of them as JSON. */
function answerCalls(cli: Cli, answered: Answered): number {
  const { selection, results, requests, call } = answered
  if (call?.format === 'json') return answerAsJson(cli, answered)
  let code = 0
  const asked = requests.filter((request) => request.call !== undefined).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  for (const [at, request] of asked.entries()) {
    const { name, call: own } = request
    const { description = '' } = selection.targets.get(name)!.fields
    cli.out(`${at === 0 ? '' : '\n'}${name}\n${description === '' ? '' : `${description}\n`}\n`)
    code ||= answerCall(cli, { ...request, call: withFormat(own!, call) }, results.get(name)!.metadata)
  }
  return code
}

const withFormat = (own: CallSpec, call: CallSpec | undefined): CallSpec =>
  call === undefined ? own : { ...own, format: call.format, ignoresStatus: call.ignoresStatus }

function answerAsJson(cli: Cli, { selection, results, requests, call }: Answered): number {
  let code = 0
  const target = Object.fromEntries(
    requests
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, call: own }) => {
        const build = targetJson(selection.targets.get(name)!.fields)
        if (own === undefined) return [name, { build }]
        const { metadata } = results.get(name)!
        if (call?.ignoresStatus !== true) code ||= Number(textOf(metadata, 'result.statuscode') || '0')
        const answer = JSON.parse(textOf(metadata, 'result.json') || 'null') as Json
        return [name, { build, [own.name === 'lint' ? 'check' : own.name]: answer }]
      }),
  )
  const groups = [...selection.groups].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const group = Object.fromEntries(groups.map(([name, one]) => [name, groupJson(one)]))
  cli.out(`${goJson({ ...(groups.length === 0 ? {} : { group }), target })}\n`)
  return code
}

const textOf = (metadata: BuildResult['metadata'], name: string): string =>
  Buffer.from(metadata[name] ?? new Uint8Array()).toString()
