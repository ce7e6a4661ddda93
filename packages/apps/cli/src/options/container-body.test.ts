import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFlags } from '../flags/parse-flags.ts'
import { buildContainerBody } from './container-body.ts'
import { containerFlags } from './container-flags.ts'

function build(line: string): ReturnType<typeof buildContainerBody> {
  const words = line.split(' ').map((word) => word.replaceAll('_', ' '))
  return buildContainerBody(
    parseFlags(
      containerFlags,
      [...words, 'img'].filter((word) => word !== ''),
      false,
    ),
  )
}

/** What a command line changes in the body of a plain create; paths are joined by dots. */
function changes(line: string): Record<string, unknown> {
  const [plain, body] = [flatten(build('')), flatten(build(line))]
  const keys = [...new Set([...Object.keys(plain), ...Object.keys(body)])]
  return Object.fromEntries(
    keys.filter((key) => JSON.stringify(plain[key]) !== JSON.stringify(body[key])).map((key) => [key, body[key]]),
  )
}

function flatten(body: ReturnType<typeof buildContainerBody>): Record<string, unknown> {
  const { HostConfig, NetworkingConfig, ...config } = body
  return { ...config, ...HostConfig, endpoints: NetworkingConfig?.EndpointsConfig }
}

const lines: [line: string, changes: Record<string, unknown>][] = [
  ['-it', { AttachStdin: true, Tty: true, OpenStdin: true, StdinOnce: true }],
  ['-a stdout', { AttachStderr: false }],
  ['-e A=1 -e B=x_y', { Env: ['A=1', 'B=x y'] }],
  ['-l a=b -l c', { Labels: { a: 'b', c: '' } }],
  ['-p 8080:80', { ExposedPorts: { '80/tcp': {} }, PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] } }],
  [
    '-p 127.0.0.1::53/udp',
    { ExposedPorts: { '53/udp': {} }, PortBindings: { '53/udp': [{ HostIp: '127.0.0.1', HostPort: '' }] } },
  ],
  [
    '-p [::1]:1-2:3-4',
    {
      ExposedPorts: { '3/tcp': {}, '4/tcp': {} },
      PortBindings: { '3/tcp': [{ HostIp: '::1', HostPort: '1' }], '4/tcp': [{ HostIp: '::1', HostPort: '2' }] },
    },
  ],
  [
    '-p 8000-8010:80',
    { ExposedPorts: { '80/tcp': {} }, PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8000-8010' }] } },
  ],
  [
    '-p published=81,target=82,protocol=udp',
    { ExposedPorts: { '82/udp': {} }, PortBindings: { '82/udp': [{ HostIp: '', HostPort: '81' }] } },
  ],
  ['--expose 1-2/udp', { ExposedPorts: { '1/udp': {}, '2/udp': {} } }],
  ['-v /a:/b:ro -v /c', { Volumes: { '/c': {} }, Binds: ['/a:/b:ro'] }],
  [
    '--mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1770',
    { Mounts: [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1048576, Mode: 0o1770 } }] },
  ],
  [
    '--mount type=bind,src=/a,dst=/b,ro,bind-propagation=rprivate',
    {
      Mounts: [{ Type: 'bind', Target: '/b', Source: '/a', ReadOnly: true, BindOptions: { Propagation: 'rprivate' } }],
    },
  ],
  [
    '--mount type=bind,src=/a,dst=/b/,bind-create-src,bind-idmap=0:1000',
    {
      Annotations: { 'io.berth.bind-idmap./b': '0:1000' },
      Mounts: [{ Type: 'bind', Target: '/b/', Source: '/a', BindOptions: { CreateMountpoint: true } }],
    },
  ],
  [
    '--mount type=volume,src=v,dst=/b,volume-subpath=a/b,volume-label=x=y,volume-driver=local,volume-opt=type=tmpfs',
    {
      Mounts: [
        {
          Type: 'volume',
          Target: '/b',
          Source: 'v',
          VolumeOptions: {
            Subpath: 'a/b',
            Labels: { x: 'y' },
            DriverConfig: { Name: 'local', Options: { type: 'tmpfs' } },
          },
        },
      ],
    },
  ],
  ['--tmpfs /t:size=1m,mode=1777', { Tmpfs: { '/t': 'size=1m,mode=1777' } }],
  ['-m 512m --memory-swap -1 --cpus 1.5', { Memory: 536870912, NanoCpus: 1500000000, MemorySwap: -1 }],
  [
    '--ulimit nofile=1024:2048 --ulimit core=0',
    {
      Ulimits: [
        { Name: 'core', Hard: 0, Soft: 0 },
        { Name: 'nofile', Hard: 2048, Soft: 1024 },
      ],
    },
  ],
  [
    '--device /dev/zero:/dev/z:r',
    { Devices: [{ PathOnHost: '/dev/zero', PathInContainer: '/dev/z', CgroupPermissions: 'r' }] },
  ],
  [
    '--gpus all',
    { DeviceRequests: [{ Driver: '', Count: -1, DeviceIDs: null, Capabilities: [['gpu']], Options: {} }] },
  ],
  ['--restart on-failure:3', { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } }],
  ['--cap-add chown --cap-add all --cap-drop MKNOD', { CapAdd: ['ALL', 'CAP_CHOWN'], CapDrop: ['CAP_MKNOD'] }],
  ['--security-opt systempaths=unconfined', { SecurityOpt: [], MaskedPaths: [], ReadonlyPaths: [] }],
  ['--init=false --stop-timeout 0', { Init: false, StopTimeout: 0 }],
  ['--entrypoint=', { Entrypoint: [''] }],
  ['--health-cmd x_y --health-interval 1m', { Healthcheck: { Test: ['CMD-SHELL', 'x y'], Interval: 60_000_000_000 } }],
  ['--no-healthcheck', { Healthcheck: { Test: ['NONE'] } }],
  ['--network host', { NetworkMode: 'host', endpoints: {} }],
  ['--add-host a:1.2.3.4 --add-host b=::1', { ExtraHosts: ['a:1.2.3.4', 'b:::1'] }],
  ['--log-driver local --log-opt max-size=1m', { LogConfig: { Type: 'local', Config: { 'max-size': '1m' } } }],
]

for (const [line, expected] of lines) {
  test(`buildContainerBody() sends ${line} as docker does`, () => assert.deepEqual(changes(line), expected))
}

test('buildContainerBody() gives the first network what the older flags ask for', () => {
  const { HostConfig, NetworkingConfig } = build(
    '--network name=n,gw-priority=5,driver-opt=k=v --network-alias a --ip 10.0.0.2 --network m',
  )
  const none = { IPAMConfig: null, Links: null, Aliases: null, MacAddress: '', DriverOpts: null, GwPriority: 0 }
  assert.equal(HostConfig?.NetworkMode, 'n')
  assert.deepEqual(NetworkingConfig?.EndpointsConfig, {
    n: { ...none, IPAMConfig: { IPv4Address: '10.0.0.2' }, Aliases: ['a'], DriverOpts: { k: 'v' }, GwPriority: 5 },
    m: none,
  })
})

const refusals: [line: string, message: string][] = [
  ['-p x:80', 'invalid hostPort: x'],
  ['-p a:b:c', 'invalid IP address: a'],
  ['-p 1-2:3-9', 'invalid ranges specified for container and host Ports: 3-9 and 1-2'],
  ['-p 80/foo', 'invalid proto: foo'],
  ['--restart always --rm', 'conflicting options: cannot specify both --restart and --rm'],
  ['--pid foo', '--pid: invalid PID mode'],
  ['--memory-swappiness 101', 'invalid value: 101. Valid memory swappiness range is 0-100'],
  ['--no-healthcheck --health-cmd x', '--no-healthcheck conflicts with --health-* options'],
  ['--network-alias x', 'network-scoped aliases are only supported for user-defined networks'],
  ['--network a --network a', 'network "a" is specified multiple times'],
  [
    '--network host --network a',
    'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
  ],
  ['--log-driver none --log-opt a=b', 'invalid logging opts for driver none'],
  ['--device a:b:c:d', 'bad format for path: a:b:c:d'],
  ['--security-opt foo', 'Invalid --security-opt: "foo"'],
  ['--mount type=bind', 'invalid argument "type=bind" for "--mount" flag: target is required'],
  [
    '--mount type=tmpfs,volume-nocopy,target=/x',
    'invalid argument "type=tmpfs,volume-nocopy,target=/x" for "--mount" flag: cannot mix \'volume-*\' options with mount type \'tmpfs\'',
  ],
  ['--ulimit foo=1', 'invalid argument "foo=1" for "--ulimit" flag: invalid ulimit type: foo'],
  ['--sysctl a=b', 'invalid argument "a=b" for "--sysctl" flag: sysctl \'a=b\' is not allowed'],
  ['-e =x', 'invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x'],
]

for (const [line, message] of refusals) {
  test(`buildContainerBody() refuses ${line} in docker's words`, () => assert.throws(() => build(line), { message }))
}
