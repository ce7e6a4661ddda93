import { writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { createCompressor } from '@berth/archive'
import type { ProgressMessage } from '@berth/engine-api'
import type { BuildMessage, Query } from '@berth/engine-client'
import { openBuildContext } from '../../build/build-context.ts'
import type { Cli } from '../../cli.ts'
import { registryConfigHeader } from '../../credentials/registry-auth.ts'
import { describeFailure, StatusError } from '../../errors.ts'
import { invalidArgument } from '../../flags/parse-flags.ts'
import { checkLabel, expandEnvironment, toRecord } from '../../options/key-values.ts'
import { checkExtraHost } from '../../options/networks.ts'
import { proxyVariables } from '../../options/proxies.ts'
import { splitReference } from '../../options/reference.ts'
import { printProgress } from '../../output/progress.ts'
import { type BuildFlags, buildFlags } from './build-flags.ts'

/** Builds by `POST /build`. */
export async function buildClassic(cli: Cli, where: string, given: BuildFlags): Promise<void> {
  given.tag.forEach(checkTag)
  const { stream, remote, dockerfile } = await openBuildContext(where, given.file)
  const sent = stream !== undefined && given.compress ? Readable.from(stream).pipe(createCompressor('gzip')) : stream
  const query = { ...buildQuery(given), ...buildArguments(cli, given.buildArg), dockerfile, remote }
  const auth = await registryConfigHeader(cli)
  const id = await showBuild(cli, cli.engine.images.build(query, sent, auth), given.quiet)
  if (given.iidfile !== '') writeFileSync(given.iidfile, id)
}

/** BuildKit's side has words of its own for the same. */
function checkTag(tag: string): void {
  try {
    splitReference(tag)
  } catch (error) {
    throw invalidArgument(buildFlags.tag, tag, error)
  }
}

/** Everything but the context. */
function buildQuery(given: BuildFlags): Query {
  const orNone = (text: string): string | undefined => (text === '' ? undefined : text)
  const positive = (count: number): number | undefined => (count === 0 ? undefined : count)
  const json = (value: readonly unknown[]): string | undefined =>
    value.length === 0 ? undefined : JSON.stringify(value)
  return {
    version: '1',
    t: given.tag,
    q: given.quiet || undefined,
    nocache: given.noCache || undefined,
    pull: given.pull || undefined,
    rm: given.rm,
    forcerm: given.forceRm || undefined,
    squash: given.squash || undefined,
    memory: positive(given.memory),
    memswap: positive(given.memorySwap),
    cpushares: positive(given.cpuShares),
    cpuperiod: positive(given.cpuPeriod),
    cpuquota: positive(given.cpuQuota),
    cpusetcpus: orNone(given.cpusetCpus),
    cpusetmems: orNone(given.cpusetMems),
    cgroupparent: orNone(given.cgroupParent),
    shmsize: positive(given.shmSize),
    networkmode: given.network === '' ? 'default' : given.network,
    platform: orNone(given.platform.join(',')),
    target: orNone(given.target),
    extrahosts: orNone(given.addHost.map(checkExtraHost).join(',')),
    securityopt: given.securityOpt,
    cachefrom: json(given.cacheFrom),
    ulimits: json(given.ulimit),
    labels: given.label.length === 0 ? undefined : JSON.stringify(toRecord(given.label.map(checkLabel))),
  }
}

/** An argument without a value, here or in our environment, is the Dockerfile's own; the proxies are arguments too. */
function buildArguments(cli: Cli, texts: readonly string[]): Query {
  const pairs = texts.map(expandEnvironment).map((text): [string, string | null] => {
    const equals = text.indexOf('=')
    return equals < 0 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)]
  })
  const names = pairs.map(([name]) => name)
  const all = { ...Object.fromEntries(pairs), ...proxyVariables(cli, names) }
  return Object.keys(all).length === 0 ? {} : { buildargs: JSON.stringify(all) }
}

/** Prints what the engine says, or with `quiet` its last word; resolves with the image's id. */
async function showBuild(cli: Cli, messages: AsyncIterable<BuildMessage>, quiet: boolean): Promise<string> {
  let id = ''
  let said = ''
  async function* watched(): AsyncGenerator<ProgressMessage> {
    for await (const message of messages) {
      id = message.aux?.ID ?? id
      if (quiet) said += message.stream ?? ''
      if (message.aux === undefined) yield message
    }
  }
  try {
    await printProgress(cli, watched(), quiet ? 'silent' : 'stdout')
  } catch (error) {
    throw new StatusError(1, `${quiet ? said : ''}${describeFailure(error)}`)
  }
  const built = id === '' && quiet ? said.trim() : id
  if (quiet) cli.out(`${built}\n`)
  return built
}
