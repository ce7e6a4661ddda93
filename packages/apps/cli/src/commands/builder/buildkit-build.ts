import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '@berth/base'
import { familiarString, parseReference } from '@berth/oci'
import { answerCall } from '../../buildkit/answer-call.ts'
import { type BuildRequest, emptyRequest } from '../../buildkit/build-request.ts'
import { writeMetadata } from '../../buildkit/metadata.ts'
import { parseAnnotations } from '../../buildkit/parse/annotations.ts'
import { parseAttests } from '../../buildkit/parse/attests.ts'
import { parseCache } from '../../buildkit/parse/caches.ts'
import { parseCall } from '../../buildkit/parse/call.ts'
import { parseOutput, withShorthands } from '../../buildkit/parse/outputs.ts'
import { parseSecret, parseSsh } from '../../buildkit/parse/secrets.ts'
import { chooseMode, type ProgressMode } from '../../buildkit/progress/open-view.ts'
import { showBuilds } from '../../buildkit/show-builds.ts'
import type { Cli } from '../../cli.ts'
import { currentContext } from '../../context/current-context.ts'
import { StatusError } from '../../errors.ts'
import { expandEnvironment, reasonOf, splitPair, toRecord } from '../../options/key-values.ts'
import { proxyVariables } from '../../options/proxies.ts'
import type { BuildFlags } from './build-flags.ts'

/** Builds by BuildKit's doors; resolves to the exit code. */
export async function buildWithBuildkit(cli: Cli, where: string, given: BuildFlags): Promise<number> {
  const { request, mode } = decode(cli, where, given)
  // A failed build leaves no old id behind.
  if (given.iidfile !== '')
    onFile('removing image ID file: remove', given.iidfile, (path) => rmSync(path, { force: true }))
  const { results, warnings } = await showBuilds(cli, [request], { mode })
  const result = results.get('')
  if (result === undefined) throw new Error('the build has no result')
  if (request.call) return answerCall(cli, request, result.metadata)
  const id =
    result.exporterResponse['containerimage.config.digest'] ?? result.exporterResponse['containerimage.digest'] ?? ''
  if (given.iidfile !== '') onFile('writing image ID file: open', given.iidfile, (path) => writeFileSync(path, id))
  if (given.metadataFile !== '') writeMetadata(cli, given.metadataFile, { result, warnings })
  if (mode === 'quiet') cli.out(`${id}\n`)
  return 0
}

/** Throws a `StatusError` in buildx's words for flags that make no sense. */
function decode(
  cli: Cli,
  where: string,
  given: BuildFlags,
): { readonly request: BuildRequest; readonly mode: ProgressMode } {
  try {
    requireBuilder(cli, given.builder)
    requireOutputPath(given.metadataFile)
    if (given.quiet && !['auto', 'quiet'].includes(given.progress)) {
      throw new Error(`progress=${given.progress} and quiet cannot be used together`)
    }
    return { request: requestOf(cli, where, given), mode: given.quiet ? 'quiet' : chooseMode(cli, given.progress) }
  } catch (error) {
    throw new StatusError(1, `ERROR: ${messageOf(error)}`)
  }
}

/** Does something to a file of ours; a failure is told of in Go's words. */
function onFile(what: string, path: string, work: (path: string) => void): void {
  try {
    work(path)
  } catch (error) {
    throw new StatusError(1, `ERROR: ${what} ${path}: ${reasonOf(error)}`)
  }
}

/** A file, to be, in a directory that is there. */
function requireOutputPath(path: string): void {
  if (path === '') return
  const folder = dirname(path)
  if (!existsSync(folder)) throw new Error(`invalid output path: stat ${folder}: no such file or directory`)
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error('cannot write to a directory')
}

/** An engine builds by itself: its context's name is that of its only builder. */
export function requireBuilder(cli: Cli, name: string): void {
  const wanted = name === '' ? (cli.env['BUILDX_BUILDER'] ?? '') : name
  if (wanted !== '' && wanted !== 'default' && wanted !== currentContext(cli.contextSources)) {
    throw new Error(`no builder ${JSON.stringify(wanted)} found`)
  }
}

function requestOf(cli: Cli, where: string, given: BuildFlags): BuildRequest {
  const buildArgs = argumentsOf(given.buildArg, cli.env)
  const outputs = withShorthands(given.output.filter(Boolean).map(parseOutput), given)
  const annotations = withPrefix('failed to build: parse annotations', () => parseAnnotations(given.annotation))
  return {
    ...emptyRequest,
    context: where,
    dockerfile: given.file,
    namedContexts: namedContexts(given.buildContext),
    target: given.target,
    tags: given.tag,
    buildArgs: { ...proxyVariables(cli, Object.keys(buildArgs)), ...buildArgs },
    labels: toRecord(given.label.map(requireKey)),
    platforms: given.platform.flatMap((text) => text.split(',')),
    outputs: outputs.map((output) => ({ ...output, attrs: { ...output.attrs, ...annotations } })),
    cacheFrom: given.cacheFrom.filter(Boolean).flatMap(parseCache),
    cacheTo: given.cacheTo.filter(Boolean).flatMap(parseCache),
    secrets: given.secret.filter(Boolean).map(parseSecret),
    ssh: given.ssh.filter(Boolean).map(parseSsh),
    attests: parseAttests(given),
    entitlements: given.allow.flatMap((text) => text.split(',')).filter(Boolean),
    networkMode: given.network,
    extraHosts: given.addHost,
    shmSizeBytes: given.shmSize,
    ulimits: given.ulimit,
    cgroupParent: given.cgroupParent,
    noCache: given.noCache,
    noCacheFilter: given.noCacheFilter.flatMap((text) => text.split(',')),
    pull: given.pull,
    call: given.check ? parseCall('check') : parseCall(given.call),
  }
}

/** An argument without a value, here or in our environment, is the Dockerfile's own; the time of the image is ours. */
function argumentsOf(texts: readonly string[], { SOURCE_DATE_EPOCH: epoch = '' }: Cli['env']): Record<string, string> {
  const known = texts.map(requireKey).map(expandEnvironment)
  const given = toRecord(known.filter((text) => text.includes('=')))
  return epoch === '' ? given : { SOURCE_DATE_EPOCH: epoch, ...given }
}

function requireKey(text: string): string {
  if (splitPair(text)[0] === '') throw new Error(`invalid key-value pair ${JSON.stringify(text)}: empty key`)
  return text
}

/** By the familiar names of images: `docker.io/library/busybox:latest` is `busybox`. */
function namedContexts(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.filter(Boolean).map((text) => {
      if (!text.includes('=')) throw new Error(`invalid context value: ${text}, expected key=value`)
      const [name, place] = splitPair(text)
      const named = withPrefix(`invalid context name ${name}`, () => familiarString(parseReference(name)))
      return [named.replace(/:latest$/, ''), place]
    }),
  )
}

function withPrefix<T>(prefix: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new Error(`${prefix}: ${messageOf(error)}`, { cause: error })
  }
}
