import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plan, type PlanRequest } from './fixtures.ts'

const config = (changes: object): PlanRequest => ({ config: changes })
const host = (changes: object): PlanRequest => ({ hostConfig: changes })
const mount = (changes: object): PlanRequest =>
  host({ Mounts: [{ Type: 'bind', Source: '/mnt', Target: '/x', ...changes }] })
const bind = (text: string): PlanRequest => host({ Binds: [text] })
const log = (Type: string, Config: object): PlanRequest => host({ LogConfig: { Type, Config } })
const joined = (changes: object): PlanRequest => host({ NetworkMode: 'container:a', ...changes })
const port = { '80/tcp': [{ HostPort: '80' }] }

/** What dockerd 28.5 answers, but where it only fails when the container starts. */
const refusals: Record<string, readonly (readonly [PlanRequest, string])[]> = {
  'a configuration': [
    [config({ Env: [''] }), 'invalid environment variable: '],
    [config({ Env: ['='] }), 'invalid environment variable: ='],
    [config({ Env: ['=foo'] }), 'invalid environment variable: =foo'],
    [config({ WorkingDir: 'tmp' }), "the working directory 'tmp' is invalid, it needs to be an absolute path"],
    [config({ StopSignal: 'SIGFOO' }), 'invalid signal: SIGFOO'],
    [config({ StopSignal: '0' }), 'invalid signal: 0'],
    [config({ Hostname: 'a'.repeat(65) }), `invalid hostname: longer than 64 bytes: ${'a'.repeat(65)}`],
    [config({ ExposedPorts: { 'abc/tcp': {} } }), 'invalid port specification: "abc"'],
    [config({ ExposedPorts: { '80/foo': {} } }), 'invalid port specification: "80/foo": invalid protocol'],
    [config({ Entrypoint: [''] }), 'no command specified'],
    [config({ Cmd: ['a\0b'] }), 'invalid command: an argument contains a zero byte'],
    [config({ MacAddress: 'zz' }), 'invalid config for network bridge: invalid MAC address zz'],
  ],
  'a healthcheck': [
    [config({ Healthcheck: { Interval: 100 } }), 'Interval in Healthcheck cannot be less than 1ms'],
    [config({ Healthcheck: { Timeout: -1 } }), 'Timeout in Healthcheck cannot be less than 1ms'],
    [config({ Healthcheck: { StartPeriod: 1 } }), 'StartPeriod in Healthcheck cannot be less than 1ms'],
    [config({ Healthcheck: { StartInterval: 1 } }), 'StartInterval in Healthcheck cannot be less than 1ms'],
    [config({ Healthcheck: { Retries: -1 } }), 'Retries in Healthcheck cannot be negative'],
    [config({ Healthcheck: { Test: ['X'] } }), 'unknown type "X" in Healthcheck.Test: use NONE, CMD or CMD-SHELL'],
  ],
  memory: [
    [host({ Memory: 1000 }), 'Minimum memory limit allowed is 6MB'],
    [host({ Memory: -1 }), 'Minimum memory limit allowed is 6MB'],
    [
      host({ Memory: 67108864, MemorySwap: 1000 }),
      'Minimum memoryswap limit should be larger than memory limit, see usage',
    ],
    [host({ MemorySwap: 67108864 }), 'You should always set the Memory limit when using Memoryswap limit, see usage'],
    [host({ MemorySwappiness: 101 }), 'Invalid value: 101, valid memory swappiness range is 0-100'],
    [host({ MemorySwappiness: -2 }), 'Invalid value: -2, valid memory swappiness range is 0-100'],
    [host({ MemoryReservation: 100 }), 'Minimum memory reservation allowed is 6MB'],
    [
      host({ Memory: 67108864, MemoryReservation: 77108864 }),
      'Minimum memory limit can not be less than memory reservation limit, see usage',
    ],
    [host({ OomScoreAdj: 1001 }), 'Invalid value 1001, range for oom score adj is [-1000, 1000]'],
    [host({ ShmSize: -1 }), 'SHM size can not be less than 0'],
  ],
  'processors and devices': [
    [host({ NanoCpus: 3e9 }), 'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available'],
    [host({ NanoCpus: 1e9, CpuPeriod: 100000 }), 'Conflicting options: Nano CPUs and CPU Period cannot both be set'],
    [host({ NanoCpus: 1e9, CpuQuota: 100000 }), 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
    [host({ CpuShares: -1 }), 'invalid CPU shares (-1): value must be a positive integer'],
    [host({ CpuPeriod: 10 }), 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)'],
    [host({ CpuQuota: 10 }), 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
    [
      host({ CpuRealtimePeriod: 10, CpuRealtimeRuntime: 20 }),
      'cpu real-time runtime cannot be higher than cpu real-time period',
    ],
    [host({ CpusetCpus: 'abc' }), 'Invalid value abc for cpuset cpus: invalid format: abc'],
    [host({ CpusetCpus: '2-1' }), 'Invalid value 2-1 for cpuset cpus: invalid format: 2-1'],
    [host({ CpusetCpus: '0-9' }), 'Requested CPUs are not available - requested 0-9, available: 0-1'],
    [
      host({ CpusetCpus: '0-90000000' }),
      'Invalid value 0-90000000 for cpuset cpus: value of out range, maximum is 8192',
    ],
    [host({ CpusetMems: '5' }), 'Requested memory nodes are not available - requested 5, available: 0'],
    [host({ BlkioWeight: 5 }), 'Range of blkio weight is from 10 to 1000'],
    [host({ IOMaximumBandwidth: 1 }), 'invalid option: QoS maximum bandwidth configuration is not supported on linux'],
    [host({ Ulimits: [{ Name: 'foo', Soft: 1, Hard: 1 }] }), 'invalid ulimit type: foo'],
    [
      host({ Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 1 }] }),
      'ulimit soft limit must be less than or equal to hard limit: 10 > 1',
    ],
    [host({ DeviceCgroupRules: ['foo'] }), "invalid device cgroup rule format: 'foo'"],
    [
      host({ Devices: [{ PathOnHost: '/dev/null', PathInContainer: '', CgroupPermissions: 'x' }] }),
      'invalid permissions of device /dev/null: "x"',
    ],
  ],
  'namespaces and networks': [
    [host({ IpcMode: 'foo' }), 'invalid IPC mode: foo'],
    [host({ IpcMode: 'container:' }), 'failed to join IPC namespace: invalid name or ID supplied: ""'],
    [host({ PidMode: 'container:' }), 'invalid PID mode: container:'],
    [host({ UTSMode: 'foo' }), 'invalid UTS mode: foo'],
    [host({ CgroupnsMode: 'foo' }), 'invalid cgroup namespace mode: foo'],
    [host({ UsernsMode: 'foo' }), 'invalid user namespace mode: foo'],
    [host({ NetworkMode: 'container:' }), 'invalid network mode: invalid container format container:<name|id>'],
    [{ config: { Hostname: 'h' }, hostConfig: { UTSMode: 'host' } }, 'conflicting options: hostname and the UTS mode'],
    [
      { config: { Hostname: 'h' }, hostConfig: { NetworkMode: 'container:a' } },
      'conflicting options: hostname and the network mode',
    ],
    [joined({ Dns: ['1.1.1.1'] }), 'conflicting options: dns and the network mode'],
    [joined({ ExtraHosts: ['a:1.1.1.1'] }), 'conflicting options: custom host-to-IP mapping and the network mode'],
    [joined({ PortBindings: port }), 'conflicting options: port publishing and the container type network mode'],
    [joined({ PublishAllPorts: true }), 'conflicting options: port publishing and the container type network mode'],
    [
      { config: { ExposedPorts: { '80/tcp': {} } }, hostConfig: { NetworkMode: 'container:a' } },
      'conflicting options: port exposing and the container type network mode',
    ],
    [host({ PortBindings: { 'foo/tcp': [{ HostPort: '80' }] } }), 'invalid port specification: "foo"'],
    [host({ PortBindings: { '80/tcp': [{ HostPort: '70000' }] } }), 'invalid port specification: "70000"'],
    [host({ PortBindings: { '80-81/tcp': [{ HostPort: '8000' }] } }), 'invalid port specification: "80-81"'],
    [host({ PortBindings: { '80/tcp': [{ HostIp: 'foo', HostPort: '8' }] } }), 'invalid IP address: foo'],
    [host({ ExtraHosts: ['foo'] }), 'bad format for add-host: "foo"'],
    [host({ ExtraHosts: ['foo:bar'] }), 'invalid IP address in add-host: "bar"'],
    [host({ Sysctls: { 'kernel.foo': '1' } }), 'sysctl "kernel.foo" is not in a separate kernel namespace'],
    [
      host({ NetworkMode: 'host', Sysctls: { 'net.ipv4.ip_forward': '1' } }),
      'sysctl "net.ipv4.ip_forward" not allowed in host network namespace',
    ],
    [
      host({ Sysctls: { 'net.ipv4.conf.eth0.forwarding': '1' } }),
      `interface specific sysctl setting "net.ipv4.conf.eth0.forwarding" must be supplied using driver option 'com.docker.network.endpoint.sysctls'`,
    ],
  ],
  security: [
    [host({ CapAdd: ['FOO'] }), 'invalid CapAdd: unknown capability: "CAP_FOO"'],
    [host({ CapDrop: ['cap_foo'] }), 'invalid CapDrop: unknown capability: "CAP_FOO"'],
    [host({ SecurityOpt: ['foo=bar'] }), 'invalid --security-opt 2: "foo=bar"'],
    [host({ SecurityOpt: ['foo'] }), 'invalid --security-opt 1: "foo"'],
    [host({ SecurityOpt: ['no-new-privileges=maybe'] }), 'invalid --security-opt 2: "no-new-privileges=maybe"'],
    [host({ SecurityOpt: ['systempaths=unconfined'] }), 'invalid --security-opt 2: "systempaths=unconfined"'],
    [host({ MaskedPaths: ['foo'] }), "invalid masked or read-only path: 'foo' must be absolute"],
    [host({ CgroupParent: '../foo' }), 'invalid cgroup parent: ../foo'],
  ],
  'restart policies, runtime and other words': [
    [
      host({ RestartPolicy: { Name: 'foo' } }),
      "invalid restart policy: unknown policy 'foo'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
    [
      host({ RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } }),
      "invalid restart policy: maximum retry count can only be used with 'on-failure'",
    ],
    [
      host({ RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -1 } }),
      'invalid restart policy: maximum retry count cannot be negative',
    ],
    [
      host({ RestartPolicy: { Name: 'unless-stopped', MaximumRetryCount: -3 } }),
      "invalid restart policy: maximum retry count can only be used with 'on-failure' and cannot be negative",
    ],
    [
      host({ AutoRemove: true, RestartPolicy: { Name: 'always' } }),
      "can't create 'AutoRemove' container with restart policy",
    ],
    [host({ Runtime: 'foo' }), 'unknown or invalid runtime name: foo'],
    [host({ Isolation: 'hyperv' }), "invalid isolation (hyperv): linux only supports 'default'"],
    [host({ Annotations: { '': 'b' } }), 'invalid Annotations: the empty string is not permitted as an annotation key'],
    [
      host({ StorageOpt: { size: '1G' } }),
      "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
    ],
    [host({ Links: ['a:b:c'] }), 'bad format for links: a:b:c'],
    [host({ Links: [''] }), 'empty string specified for links'],
    [host({ VolumesFrom: ['a:foo'] }), 'invalid mode: foo'],
    [host({ VolumesFrom: ['a:shared'] }), 'invalid mode: shared'],
    [host({ VolumesFrom: [''] }), 'volumes-from specification cannot be an empty string'],
  ],
  'log options': [
    [log('asdf', {}), 'error looking up logging plugin asdf: plugin "asdf" not found'],
    [log('json-file', { foo: 'bar' }), "unknown log opt 'foo' for json-file log driver"],
    [log('local', { tag: 'x' }), "unknown log opt 'tag' for log driver local"],
    [log('json-file', { mode: 'foo' }), 'logger: logging mode not supported: foo'],
    [
      log('json-file', { 'max-buffer-size': '1m' }),
      "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
    ],
    [
      log('json-file', { mode: 'non-blocking', 'max-buffer-size': 'x' }),
      "error parsing option max-buffer-size: invalid size: 'x'",
    ],
    [log('json-file', { 'max-size': '1x' }), "failed to initialize logging driver: invalid suffix: 'x'"],
    [log('json-file', { 'max-size': '-5' }), "failed to initialize logging driver: invalid size: '-5'"],
    [log('json-file', { 'max-size': 'abc' }), "failed to initialize logging driver: invalid size: 'abc'"],
    [log('json-file', { 'max-file': '0' }), 'failed to initialize logging driver: max-file cannot be less than 1'],
    [
      log('local', { compress: 'maybe' }),
      'failed to initialize logging driver: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    [
      log('json-file', { compress: 'true', 'max-file': '1' }),
      'failed to initialize logging driver: compress cannot be true when max-file is less than 2 or max-size is not set',
    ],
  ],
  binds: [
    [
      bind('./foo:/x'),
      'create ./foo: "./foo" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
    ],
    [bind('a:/x'), 'create a: volume name is too short, names should be at least two alphanumeric characters'],
    [bind('/mnt:/x:foo'), 'invalid mode: foo'],
    [bind('/mnt:/x:ro,rw'), 'invalid mode: ro,rw'],
    [bind('/mnt:/x:ro,'), 'invalid mode: ro,'],
    [
      bind('/mnt:x'),
      `invalid volume specification: '/mnt:x': invalid mount config for type "bind": invalid mount path: 'x' mount path must be absolute`,
    ],
    [
      bind('/mnt:/x/..'),
      `invalid volume specification: '/mnt:/x/..': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
    ],
    [
      bind('name:/x:shared'),
      `invalid volume specification: 'name:/x:shared': invalid mount config for type "volume": field BindOptions must not be specified`,
    ],
    [
      bind('name:x'),
      `invalid volume specification: 'name:x': invalid mount config for type "volume": invalid mount path: 'x' mount path must be absolute`,
    ],
    [bind('/a:/b:ro:x'), "invalid volume specification: '/a:/b:ro:x'"],
    [bind(''), "invalid volume specification: ''"],
    [bind('/mnt:'), "invalid volume specification: '/mnt:'"],
    [
      bind('/mnt:/x:nocopy'),
      `invalid volume specification: '/mnt:/x:nocopy': invalid mount config for type "bind": field VolumeOptions must not be specified`,
    ],
    [bind('/mnt:/proc/self'), '"/proc/self" cannot be mounted because it is inside /proc'],
    [host({ Binds: ['/mnt:/x', '/opt:/x/'] }), 'Duplicate mount point: /x'],
    [host({ Binds: ['/mnt:/x'], Tmpfs: { '/x': '' } }), 'Duplicate mount point: /x'],
    [
      bind('/var:/x:rprivate'),
      'invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: "/var/lib/berth", bind mount source: "/var", propagation: "rprivate"',
    ],
  ],
  mounts: [
    [mount({ Type: '' }), 'invalid mount config for type "": mount type unknown'],
    [mount({ Type: 'npipe' }), 'invalid mount config for type "npipe": mount type unknown'],
    [mount({ Target: '' }), 'invalid mount config for type "bind": field Target must not be empty'],
    [mount({ Source: '' }), 'invalid mount config for type "bind": field Source must not be empty'],
    [
      mount({ Source: 'foo' }),
      `invalid mount config for type "bind": invalid mount path: 'foo' mount path must be absolute`,
    ],
    [
      mount({ Target: 'x' }),
      `invalid mount config for type "bind": invalid mount path: 'x' mount path must be absolute`,
    ],
    [
      mount({ BindOptions: { Propagation: 'foo' } }),
      'invalid mount config for type "bind": invalid propagation mode: foo',
    ],
    [
      mount({ Type: 'volume', Source: 'v', VolumeOptions: { Subpath: '../x' } }),
      'invalid mount config for type "volume": subpath must be a relative path within the volume',
    ],
    [
      mount({ Type: 'volume', Source: 'v', VolumeOptions: { Subpath: '/x' } }),
      'invalid mount config for type "volume": subpath must be a relative path within the volume',
    ],
    [
      mount({ Type: 'volume', Source: '', VolumeOptions: { Subpath: 'x' } }),
      'invalid mount config for type "volume": must not set Subpath when using anonymous volumes',
    ],
    [
      mount({ Type: 'volume', Source: '', ReadOnly: true }),
      'invalid mount config for type "volume": must not set ReadOnly mode when using anonymous volumes',
    ],
    [config({ Volumes: { '/': {} } }), "invalid specification: destination can't be '/'"],
    [config({ Volumes: { '/proc/x': {} } }), '"/proc/x" cannot be mounted because it is inside /proc'],
    [mount({ VolumeOptions: {} }), 'VolumeOptions must not be specified on mount type "bind"'],
    [mount({ ImageOptions: {} }), 'invalid mount config for type "bind": field ImageOptions must not be specified'],
    [mount({ Type: 'tmpfs' }), 'invalid mount config for type "tmpfs": field Source must not be specified'],
    [
      mount({ Type: 'tmpfs', Source: '', TmpfsOptions: { Options: [['uid', '3']] } }),
      'invalid mount config for type "tmpfs": invalid option: uid',
    ],
    [
      mount({ BindOptions: { ReadOnlyForceRecursive: true } }),
      'mount options conflict: !ReadOnly && BindOptions.ReadOnlyForceRecursive',
    ],
    [
      mount({ ReadOnly: true, BindOptions: { ReadOnlyForceRecursive: true, ReadOnlyNonRecursive: true } }),
      'mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive',
    ],
    [host({ Tmpfs: { x: '' } }), "invalid mount path: 'x' mount path must be absolute"],
    [host({ Tmpfs: { '/': '' } }), "invalid specification: destination can't be '/'"],
    [host({ Tmpfs: { '/x': 'foo=bar' } }), 'invalid tmpfs option "foo"'],
  ],
}

for (const [subject, cases] of Object.entries(refusals)) {
  test(`planContainer() refuses ${subject} that cannot be, in Docker's words`, () => {
    for (const [request, message] of cases) {
      assert.throws(() => plan(request), { kind: 'invalid', message }, JSON.stringify(request))
    }
  })
}

test('planContainer() says what is not there yet', () => {
  const later: readonly PlanRequest[] = [log('syslog', {})]
  for (const request of later) assert.throws(() => plan(request), { kind: 'notImplemented' }, JSON.stringify(request))
})
