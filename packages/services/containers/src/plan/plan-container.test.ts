import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOfV2, factsWith, plan, testDefaults, testFacts } from './fixtures.ts'

test("planContainer() fills Docker's defaults", () => {
  const { config, hostConfig, args, endpoints, mounts, warnings, references } = plan({})
  assert.deepEqual([args, mounts, warnings, references], [['sh'], [], [], []])
  assert.deepEqual(Object.keys(endpoints), ['bridge'])
  assert.equal(config.Hostname, 'f00df00df00d')
  const {
    NetworkMode,
    IpcMode,
    CgroupnsMode,
    ShmSize,
    Runtime,
    LogConfig,
    RestartPolicy,
    OomKillDisable,
    MemorySwappiness,
  } = hostConfig
  assert.deepEqual(
    {
      NetworkMode,
      IpcMode,
      CgroupnsMode,
      ShmSize,
      Runtime,
      LogConfig,
      RestartPolicy,
      OomKillDisable,
      MemorySwappiness,
    },
    {
      NetworkMode: 'bridge',
      IpcMode: 'private',
      CgroupnsMode: 'host',
      ShmSize: 67108864,
      Runtime: 'crun',
      LogConfig: { Type: 'json-file', Config: {} },
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      OomKillDisable: false,
      MemorySwappiness: null,
    },
  )
  assert.equal(hostConfig.MaskedPaths?.length, 12)
  assert.equal(hostConfig.ReadonlyPaths?.length, 5)
})

test('planContainer() keeps masked paths as given: absent, empty, privileged', () => {
  const masked = (hostConfig: object) => {
    const { MaskedPaths, ReadonlyPaths } = plan({ hostConfig }).hostConfig
    return [MaskedPaths, ReadonlyPaths]
  }
  assert.deepEqual(masked({ MaskedPaths: [], ReadonlyPaths: [] }), [[], []])
  assert.deepEqual(masked({ Privileged: true }), [null, null])
  assert.deepEqual(masked({ Privileged: true, MaskedPaths: ['/x'] }), [['/x'], null])
})

test('planContainer() chooses the cgroup namespace by version, privilege and daemon', () => {
  const mode = (hostConfig: object, facts = testFacts, cgroupnsMode: '' | 'private' = '') =>
    plan({ hostConfig, context: { facts, defaults: { ...testDefaults, cgroupnsMode } } }).hostConfig.CgroupnsMode
  assert.deepEqual(
    [
      mode({}),
      mode({}, factsOfV2),
      mode({ Privileged: true }, factsOfV2),
      mode({}, testFacts, 'private'),
      mode({ Privileged: true }, testFacts, 'private'),
      mode({ CgroupnsMode: 'private' }),
    ],
    ['host', 'private', 'private', 'private', 'host', 'private'],
  )
})

test('planContainer() names the host: given, the machine in its network, else the short id', () => {
  const hostname = (config: object, hostConfig: object) => plan({ config, hostConfig }).config.Hostname
  assert.equal(hostname({ Hostname: 'h' }, {}), 'h')
  assert.equal(hostname({}, { NetworkMode: 'host' }), 'vm')
  assert.equal(hostname({}, { NetworkMode: 'container:x' }), 'f00df00df00d')
})

test('planContainer() gives as much swap as memory', () => {
  const swap = (hostConfig: object) => plan({ hostConfig }).hostConfig.MemorySwap
  assert.deepEqual(
    [swap({ Memory: 67108864 }), swap({ Memory: 67108864, MemorySwap: -1 }), swap({})],
    [134217728, -1, 0],
  )
})

test('planContainer() takes label=disable into what shares with the host, unless a label was asked for', () => {
  const options = (hostConfig: object) => plan({ hostConfig }).hostConfig.SecurityOpt
  assert.deepEqual(options({ PidMode: 'host' }), ['label=disable'])
  assert.deepEqual(options({ IpcMode: 'host', SecurityOpt: ['label=level:s0'] }), ['label=level:s0'])
  assert.equal(options({}), null)
})

test('planContainer() merges the image: environment, command, ports, labels, healthcheck', () => {
  const image = {
    Env: ['A=image', 'PATH=/image'],
    Entrypoint: ['/entry'],
    Cmd: ['image'],
    User: 'image',
    WorkingDir: 'app/',
    ExposedPorts: { '80/tcp': {} },
    Labels: { a: 'image', b: 'image' },
    Volumes: { '/data': {} },
    StopSignal: 'SIGINT',
    Healthcheck: {
      Test: ['CMD', 'probe'],
      Interval: 5e9,
      Timeout: 6e9,
      StartPeriod: 7e9,
      StartInterval: 8e9,
      Retries: 9,
    },
  }
  const own = {
    Env: ['A=own', 'B'],
    Labels: { a: 'own' },
    ExposedPorts: { '81/udp': {} },
    Healthcheck: { Timeout: 1e9 },
  }
  const { config, args } = plan({ config: own, image })
  const { Env, User, WorkingDir, ExposedPorts, Labels, Volumes, StopSignal, Healthcheck } = config
  assert.deepEqual(args, ['/entry', 'image'])
  assert.deepEqual(
    { Env, User, WorkingDir, ExposedPorts, Labels, Volumes, StopSignal, Healthcheck },
    {
      Env: ['A=own', 'B', 'PATH=/image'],
      User: 'image',
      WorkingDir: '/app',
      ExposedPorts: { '80/tcp': {}, '81/udp': {} },
      Labels: { a: 'own', b: 'image' },
      Volumes: { '/data': {} },
      StopSignal: 'SIGINT',
      Healthcheck: { ...image.Healthcheck, Timeout: 1e9 },
    },
  )
})

test('planContainer() joins entrypoint and command as Docker does', () => {
  const image = { Entrypoint: ['/entry'], Cmd: ['image'] }
  const args = (config: object) => plan({ config, image }).args
  assert.deepEqual(args({ Cmd: ['own'] }), ['/entry', 'own'])
  assert.deepEqual(args({ Entrypoint: ['/own'] }), ['/own'])
  assert.deepEqual(args({ Entrypoint: ['/own'], Cmd: ['x'] }), ['/own', 'x'])
  assert.deepEqual(args({ Entrypoint: [''], Cmd: ['x'] }), ['x'])
  assert.throws(() => args({ Entrypoint: [''] }), { kind: 'invalid', message: 'no command specified' })
})

test('planContainer() lists whom the container joins', () => {
  const hostConfig = { PidMode: 'container:a', IpcMode: 'container:b', NetworkMode: 'container:c' }
  assert.deepEqual(plan({ hostConfig }).references, [
    { use: 'pid', ref: 'a' },
    { use: 'ipc', ref: 'b' },
    { use: 'network', ref: 'c' },
  ])
  assert.deepEqual(plan({ hostConfig }).endpoints, {})
})

test('planContainer() merges the daemon log options when the driver is the same', () => {
  const defaults = { ...testDefaults, logConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } } }
  const log = (LogConfig: { Type: string; Config: Record<string, string> }) =>
    plan({ hostConfig: { LogConfig }, context: { defaults } }).hostConfig.LogConfig
  assert.deepEqual(log({ Type: '', Config: { 'max-file': '3' } }), {
    Type: 'json-file',
    Config: { 'max-size': '1m', 'max-file': '3' },
  })
  assert.deepEqual(log({ Type: 'local', Config: {} }), { Type: 'local', Config: {} })
})

test('planContainer() names an AppArmor profile only where the kernel has it', () => {
  const profile = (hostConfig: object, hasAppArmor: boolean) =>
    plan({ hostConfig, context: { facts: { ...testFacts, hasAppArmor } } }).appArmorProfile
  assert.deepEqual(
    [
      profile({}, false),
      profile({}, true),
      profile({ Privileged: true }, true),
      profile({ SecurityOpt: ['apparmor=x'] }, true),
    ],
    ['', 'docker-default', 'unconfined', 'x'],
  )
})

test("planContainer() warns of what the host cannot do, in Docker's words", () => {
  const warningsOf = (hostConfig: object, facts = testFacts) => plan({ hostConfig, context: { facts } }).warnings
  assert.deepEqual(warningsOf({ NetworkMode: 'host', PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '80' }] } }), [
    'Published ports are discarded when using host network mode',
  ])
  assert.deepEqual(warningsOf({ OomKillDisable: true }), [
    'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
  ])
  assert.deepEqual(
    warningsOf(
      { Memory: 67108864, PidsLimit: 5, CpusetCpus: '0' },
      factsWith({ hasMemoryLimit: false, hasPidsLimit: false, hasCpuset: false }),
    ),
    [
      'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
      'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
      'Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.',
    ],
  )
  const Mounts = ['busybox', 'alpine'].map((Source) => ({ Type: 'image', Source, Target: `/${Source}` }))
  assert.deepEqual(warningsOf({ Mounts, OomKillDisable: true }), [
    'Image mount is an experimental feature',
    'Image mount is an experimental feature',
    'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
  ])
  assert.deepEqual(warningsOf({ OomKillDisable: true, MemorySwappiness: 5 }, factsOfV2), [
    'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
    'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
  ])
})

test('planContainer() has an endpoint in a network of any name', () => {
  const { endpoints } = plan({ hostConfig: { NetworkMode: 'constructor' } })
  assert.deepEqual(Object.keys(endpoints), ['constructor'])
})
