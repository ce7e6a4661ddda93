import { writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { createCompressor } from '@berth/archive'
import type { ProgressMessage } from '@berth/engine-api'
import type { BuildMessage, Query } from '@berth/engine-client'
import { openBuildContext } from '../../build/build-context.ts'
import type { Cli } from '../../cli.ts'
import { defineCommand, exactly } from '../../command.ts'
import { describeFailure, StatusError } from '../../errors.ts'
import { registryConfigHeader } from '../../credentials/registry-auth.ts'
import { boolean, bytes, commaList, hidden, integer, list, string, swapBytes } from '../../flags/flag.ts'
import type { FlagValues } from '../../flags/flag.ts'
import { checkLabel, expandEnvironment, parsed, toRecord } from '../../options/key-values.ts'
import { parseUlimit } from '../../options/limits.ts'
import { checkExtraHost } from '../../options/networks.ts'
import { platformFlag } from '../../options/platform.ts'
import { proxyVariables } from '../../options/proxies.ts'
import { splitReference } from '../../options/reference.ts'
import { printProgress } from '../../output/progress.ts'

const flags = {
  addHost: list('add-host', 'Add a custom host-to-IP mapping ("host:ip")', { check: checkExtraHost }),
  buildArg: list('build-arg', 'Set build-time variables', { check: expandEnvironment }),
  cacheFrom: commaList('cache-from', 'Images to consider as cache sources'),
  cgroupParent: string('cgroup-parent', 'Set the parent cgroup for the "RUN" instructions during build'),
  compress: boolean('compress', 'Compress the build context using gzip'),
  cpuPeriod: integer('cpu-period', 'Limit the CPU CFS (Completely Fair Scheduler) period'),
  cpuQuota: integer('cpu-quota', 'Limit the CPU CFS (Completely Fair Scheduler) quota'),
  cpuShares: integer('c,cpu-shares', 'CPU shares (relative weight)'),
  cpusetCpus: string('cpuset-cpus', 'CPUs in which to allow execution (0-3, 0,1)'),
  cpusetMems: string('cpuset-mems', 'MEMs in which to allow execution (0-3, 0,1)'),
  disableContentTrust: boolean('disable-content-trust', 'Skip image verification (default true)', true),
  file: string('f,file', 'Name of the Dockerfile (Default is "PATH/Dockerfile")'),
  forceRm: boolean('force-rm', 'Always remove intermediate containers'),
  iidfile: string('iidfile', 'Write the image ID to the file'),
  isolation: hidden(string('isolation', 'Container isolation technology (Windows only)')),
  label: list('label', 'Set metadata for an image', { check: checkLabel }),
  memory: bytes('m,memory', 'Memory limit'),
  memorySwap: swapBytes('memory-swap', 'Swap limit equal to memory plus swap: -1 to enable unlimited swap'),
  network: string(
    'network',
    'Set the networking mode for the RUN instructions during build (default "default")',
    'default',
  ),
  noCache: boolean('no-cache', 'Do not use cache when building the image'),
  platform: platformFlag,
  pull: boolean('pull', 'Always attempt to pull a newer version of the image'),
  quiet: boolean('q,quiet', 'Suppress the build output and print image ID on success'),
  rm: boolean('rm', 'Remove intermediate containers after a successful build (default true)', true),
  securityOpt: commaList('security-opt', 'Security options'),
  shmSize: bytes('shm-size', 'Size of "/dev/shm"'),
  squash: boolean('squash', 'Squash newly built layers into a single new layer'),
  tag: list('t,tag', 'Name and optionally a tag in the "name:tag" format', { check: checkTag }),
  target: string('target', 'Set the target build stage to build.'),
  ulimit: parsed('ulimit', 'Ulimit options (default [])', parseUlimit, 'ulimit'),
}

export const command = defineCommand({
  usage: '[OPTIONS] PATH | URL | -',
  summary: 'Build an image from a Dockerfile',
  aliases: ['image build', 'build', 'builder build'],
  count: exactly(1),
  flags,
  async run(cli, { args, flags: given }) {
    if (!given.disableContentTrust)
      throw new Error('--disable-content-trust=false: content trust (Notary) is not supported')
    if (given.isolation !== '') throw new Error('--isolation: only Windows has it')
    const { stream, remote, dockerfile } = await openBuildContext(args[0] ?? '', given.file)
    const sent = stream !== undefined && given.compress ? Readable.from(stream).pipe(createCompressor('gzip')) : stream
    const query = { ...buildQuery(given), ...buildArguments(cli, given.buildArg), dockerfile, remote }
    const auth = await registryConfigHeader(cli)
    const id = await showBuild(cli, cli.engine.images.build(query, sent, auth), given.quiet)
    if (given.iidfile !== '') writeFileSync(given.iidfile, id)
  },
})

/** Everything but the context. */
function buildQuery(given: FlagValues<typeof flags>): Query {
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
    networkmode: given.network,
    platform: orNone(given.platform),
    target: orNone(given.target),
    extrahosts: orNone(given.addHost.join(',')),
    securityopt: given.securityOpt,
    cachefrom: json(given.cacheFrom),
    ulimits: json(given.ulimit),
    labels: given.label.length === 0 ? undefined : JSON.stringify(toRecord(given.label)),
  }
}

/** An argument without a value, here or in our environment, is the Dockerfile's own; the proxies are arguments too. */
function buildArguments(cli: Cli, texts: readonly string[]): Query {
  const pairs = texts.map((text): [string, string | null] => {
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

function checkTag(text: string): string {
  splitReference(text)
  return text
}
