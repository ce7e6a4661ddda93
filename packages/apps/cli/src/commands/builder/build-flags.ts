import {
  boolean,
  bytes,
  commaList,
  fromEnvironment,
  hidden,
  integer,
  list,
  string,
  swapBytes,
} from '../../flags/flag.ts'
import type { Flag, FlagValues } from '../../flags/flag.ts'
import { parsed } from '../../options/key-values.ts'
import { parseUlimit } from '../../options/limits.ts'

const texts = (spec: string, help: string): Flag<readonly string[]> => list(spec, help, { placeholder: 'stringArray' })

/** Those of buildx, and hidden those that only the classic builder has. */
export const buildFlags = {
  allow: texts('allow', 'Allow extra privileged entitlement (e.g., "network.host", "security.insecure")'),
  annotation: texts('annotation', 'Add annotation to the image'),
  attest: texts('attest', 'Attestation parameters (format: "type=sbom,generator=image")'),
  buildContext: texts('build-context', 'Additional build contexts (e.g., name=path)'),
  builder: string('builder', 'Override the configured builder instance'),
  cacheTo: texts('cache-to', 'Cache export destinations (e.g., "user/app:cache", "type=local,dest=path/to/dir")'),
  call: string('call', 'Set method for evaluating build ("check", "outline", "targets") (default "build")', 'build'),
  check: boolean('check', 'Shorthand for "--call=check"'),
  load: boolean('load', 'Shorthand for "--output=type=docker"'),
  metadataFile: string('metadata-file', 'Write build result metadata to a file'),
  noCacheFilter: texts('no-cache-filter', 'Do not cache specified stages'),
  output: texts('o,output', 'Output destination (format: "type=local,dest=path")'),
  progress: string(
    'progress',
    'Set type of progress output ("auto", "none", "plain", "quiet", "rawjson", "tty"). Use plain to show container output (default "auto")',
    'auto',
  ),
  provenance: string('provenance', 'Shorthand for "--attest=type=provenance"'),
  push: boolean('push', 'Shorthand for "--output=type=registry"'),
  sbom: string('sbom', 'Shorthand for "--attest=type=sbom"'),
  secret: texts('secret', 'Secret to expose to the build (format: "id=mysecret[,src=/local/secret]")'),
  ssh: texts(
    'ssh',
    'SSH agent socket or keys to expose to the build (format: "default|<id>[=<socket>|<key>[,<key>]]")',
  ),
  addHost: list('add-host', 'Add a custom host-to-IP mapping ("host:ip")'),
  buildArg: list('build-arg', 'Set build-time variables'),
  cacheFrom: {
    ...texts('cache-from', 'External cache sources (e.g., "user/app:cache", "type=local,src=path/to/dir")'),
    placeholder: 'strings',
  },
  cgroupParent: string('cgroup-parent', 'Set the parent cgroup for the "RUN" instructions during build'),
  compress: hidden(boolean('compress', 'Compress the build context using gzip')),
  cpuPeriod: hidden(integer('cpu-period', 'Limit the CPU CFS (Completely Fair Scheduler) period')),
  cpuQuota: hidden(integer('cpu-quota', 'Limit the CPU CFS (Completely Fair Scheduler) quota')),
  cpuShares: hidden(integer('c,cpu-shares', 'CPU shares (relative weight)')),
  cpusetCpus: hidden(string('cpuset-cpus', 'CPUs in which to allow execution (0-3, 0,1)')),
  cpusetMems: hidden(string('cpuset-mems', 'MEMs in which to allow execution (0-3, 0,1)')),
  disableContentTrust: hidden(boolean('disable-content-trust', 'Skip image verification (default true)', true)),
  file: string('f,file', 'Name of the Dockerfile (Default is "PATH/Dockerfile")'),
  forceRm: hidden(boolean('force-rm', 'Always remove intermediate containers')),
  iidfile: string('iidfile', 'Write the image ID to the file'),
  isolation: hidden(string('isolation', 'Container isolation technology (Windows only)')),
  label: list('label', 'Set metadata for an image'),
  memory: hidden(bytes('m,memory', 'Memory limit')),
  memorySwap: hidden(swapBytes('memory-swap', 'Swap limit equal to memory plus swap: -1 to enable unlimited swap')),
  network: string(
    'network',
    'Set the networking mode for the RUN instructions during build (default "default")',
    'default',
  ),
  noCache: boolean('no-cache', 'Do not use cache when building the image'),
  platform: fromEnvironment(
    'DOCKER_DEFAULT_PLATFORM',
    list('platform', 'Set target platform for build', { placeholder: 'string' }),
  ),
  pull: boolean('pull', 'Always attempt to pull a newer version of the image'),
  quiet: boolean('q,quiet', 'Suppress the build output and print image ID on success'),
  rm: hidden(boolean('rm', 'Remove intermediate containers after a successful build (default true)', true)),
  securityOpt: hidden(commaList('security-opt', 'Security options')),
  shmSize: bytes('shm-size', 'Size of "/dev/shm"'),
  squash: hidden(boolean('squash', 'Squash newly built layers into a single new layer')),
  tag: list('t,tag', 'Name and optionally a tag in the "name:tag" format'),
  target: string('target', 'Set the target build stage to build.'),
  ulimit: parsed('ulimit', 'Ulimit options (default [])', parseUlimit, 'ulimit'),
}

export type BuildFlags = FlagValues<typeof buildFlags>

type Key = keyof BuildFlags

/** What only one of the two builders does. */
export const classicOnly: readonly Key[] = [
  'compress',
  'cpuPeriod',
  'cpuQuota',
  'cpuShares',
  'cpusetCpus',
  'cpusetMems',
  'memory',
  'memorySwap',
  'securityOpt',
  'squash',
]
export const buildkitOnly: readonly Key[] = [
  'allow',
  'annotation',
  'attest',
  'buildContext',
  'builder',
  'cacheTo',
  'call',
  'check',
  'load',
  'metadataFile',
  'noCacheFilter',
  'output',
  'progress',
  'provenance',
  'push',
  'sbom',
  'secret',
  'ssh',
]
