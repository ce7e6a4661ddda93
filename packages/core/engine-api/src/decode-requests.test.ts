import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeCommit,
  decodeContainerCreate,
  decodeContainerUpdate,
  decodeExecCreate,
  decodeExecStart,
} from './decode-requests.ts'

const create = (body: unknown, version = 51) => decodeContainerCreate(body, version)
const body = (hostConfig: object) => ({ Image: 'x', HostConfig: hostConfig })
const failure = (request: unknown, version = 51): string => {
  try {
    create(request, version)
    return ''
  } catch (error) {
    return (error as Error).message.replace('invalid JSON: json: cannot unmarshal ', '')
  }
}

test("decodeContainerCreate() words wrong types as Go's decoder does", () => {
  const cases: [unknown, string][] = [
    [[], 'array into Go value of type container.CreateRequest'],
    [{ Image: 1 }, 'number into Go struct field .Image of type string'],
    [{ Cmd: 1 }, 'number into Go value of type string'],
    [{ Cmd: [1] }, 'array into Go value of type string'],
    [{ Env: 'x' }, 'string into Go struct field .Env of type []string'],
    [{ Env: [1] }, 'number into .Env.0 of type string'],
    [{ HostConfig: { Memory: 1.5 } }, 'number 1.5 into Go struct field .HostConfig.Memory of type int64'],
    [{ HostConfig: 1 }, 'number into Go struct field .HostConfig of type container.HostConfig'],
    [
      { HostConfig: { BlkioWeight: 70000 } },
      'number 70000 into Go struct field .HostConfig.BlkioWeight of type uint16',
    ],
    [
      { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: 1 }] } } },
      'number into Go struct field .HostConfig.PortBindings.80~1tcp.0.HostPort of type string',
    ],
    [
      { HostConfig: { RestartPolicy: { Name: 1 } } },
      'number into Go struct field .HostConfig.RestartPolicy.Name of type container.RestartPolicyMode',
    ],
    [
      { HostConfig: { DeviceRequests: [{ Capabilities: [1] }] } },
      'number into .HostConfig.DeviceRequests.0.Capabilities.0 of type []string',
    ],
    [{ HostConfig: { ConsoleSize: 'x' } }, 'string into Go struct field .HostConfig.ConsoleSize of type [2]uint'],
    [{ Volumes: { a: 1 } }, 'number into Go struct field .Volumes.a of type struct {}'],
    [{ HostConfig: {} }, 'config cannot be empty in order to create a container'],
    [null, 'config cannot be empty in order to create a container'],
  ]
  for (const [body, expected] of cases) assert.equal(failure(body), expected)
})

test('decodeContainerCreate() fills what is absent, ignores what is unknown and matches names in any case', () => {
  const { config, hostConfig, endpoints } = create({ image: 'busybox', CMD: 'ls', Nope: 1, hostconfig: { memory: 5 } })
  assert.deepEqual(
    [config.Image, config.Cmd, config.Entrypoint, config.Env, config.Labels],
    ['busybox', ['ls'], null, [], {}],
  )
  assert.deepEqual(
    [hostConfig.Memory, hostConfig.NetworkMode, hostConfig.RestartPolicy, hostConfig.LogConfig],
    [5, 'bridge', { Name: 'no', MaximumRetryCount: 0 }, { Type: '', Config: {} }],
  )
  assert.equal('MaskedPaths' in hostConfig, false)
  assert.equal('Nope' in config, false)
  assert.deepEqual(endpoints, {})
})

test('decodeContainerCreate() keeps hostile keys as data', () => {
  const { config } = create({ Image: 'x', Labels: JSON.parse('{"__proto__":"p","constructor":"c"}') })
  assert.deepEqual(Object.keys(config.Labels), ['__proto__', 'constructor'])
  assert.equal(Object.getPrototypeOf(config.Labels), Object.prototype)
})

test('decodeContainerCreate() adapts requests of older versions', () => {
  const bind = { Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true }
  assert.deepEqual(create(body({ Mounts: [bind] }), 43).hostConfig.Mounts, [
    { ...bind, BindOptions: { ReadOnlyNonRecursive: true } },
  ])
  assert.deepEqual(create(body({ Mounts: [bind] }), 44).hostConfig.Mounts, [bind])
  assert.equal(create(body({}), 39).hostConfig.IpcMode, 'shareable')
  assert.equal(create(body({}), 40).hostConfig.CgroupnsMode, 'host')
  assert.deepEqual(create(body({ ConsoleSize: [4, 5] }), 41).hostConfig.ConsoleSize, [0, 0])
  assert.equal(create(body({ KernelMemory: 5 }), 42).hostConfig.KernelMemory, undefined)
  assert.equal(create(body({ KernelMemory: 5 }), 41).hostConfig.KernelMemory, 5)
  assert.equal(create(body({ PidsLimit: -1 })).hostConfig.PidsLimit, null)
  assert.equal(
    failure({ Image: 'x', NetworkingConfig: { EndpointsConfig: { b: {}, a: {} } } }, 43),
    'Container cannot be created with multiple network endpoints: a, b',
  )
  assert.equal(
    failure(body({ Mounts: [{ Type: 'image', Target: '/x' }] }), 47),
    'Mount type "Image" needs API v1.48 or newer',
  )
  assert.equal(
    failure(body({ Mounts: [{ Type: 'volume', Target: '/x', VolumeOptions: { Subpath: 'y' } }] }), 44),
    'VolumeOptions.Subpath needs API v1.45 or newer',
  )
})

test('decodeContainerCreate() moves the container-wide MAC address to the main endpoint', () => {
  const mac = '02:00:00:00:00:02'
  const old = create({ Image: 'x', MacAddress: mac }, 43)
  assert.deepEqual([old.endpoints['bridge']?.MacAddress, old.config.MacAddress, old.warnings], [mac, mac, []])
  assert.equal(create({ Image: 'x', MacAddress: mac }).warnings.length, 1)
  const both = {
    Image: 'x',
    MacAddress: mac,
    NetworkingConfig: { EndpointsConfig: { bridge: { MacAddress: '02::' } } },
  }
  assert.match(failure(both), /must match the endpoint-specific MAC address/)
})

test('decodeContainerUpdate() keeps only what changes', () => {
  const body = { CpuShares: 512, Memory: 0, CpusetCpus: '', PidsLimit: -5, Devices: [], RestartPolicy: {} }
  assert.deepEqual(decodeContainerUpdate(body, 51), { CpuShares: 512, PidsLimit: 0 })
  assert.deepEqual(decodeContainerUpdate(null, 51), {})
  assert.deepEqual(decodeContainerUpdate({ PidsLimit: 5 }, 39), {})
  assert.throws(() => decodeContainerUpdate({ Memory: 'x' }, 51), /Go struct field UpdateConfig.Memory of type int64/)
})

test('decodeExecCreate() wants a command', () => {
  assert.throws(() => decodeExecCreate({}, 51), { message: 'No exec command specified' })
  assert.throws(
    () => decodeExecCreate({ Cmd: 'ls' }, 51),
    /string into Go struct field ExecOptions.Cmd of type \[\]string/,
  )
  assert.equal(decodeExecCreate({ Cmd: ['ls'], ConsoleSize: [1, 2] }, 41).ConsoleSize, undefined)
})

test('decodeExecStart() drops a console size without a terminal', () => {
  assert.deepEqual(decodeExecStart({ ConsoleSize: [1, 2] }, 51), { Detach: false, Tty: false })
  assert.deepEqual(decodeExecStart({ Tty: true, ConsoleSize: [1, 2] }, 51).ConsoleSize, [1, 2])
})

test('decodeCommit() gives overrides only when the body has some', () => {
  assert.equal(decodeCommit(null), undefined)
  assert.equal(decodeCommit({}), undefined)
  assert.deepEqual(decodeCommit({ Cmd: ['x'] })?.Cmd, ['x'])
})

test('decodeContainerCreate() gives the endpoint of a network of any name the MAC address that an old client sends', () => {
  const body = { Image: 'x', MacAddress: '02:42:ac:11:00:02', HostConfig: { NetworkMode: 'constructor' } }
  assert.deepEqual(Object.keys(create(body, 43).endpoints), ['constructor'])
  assert.deepEqual(create(body, 43).endpoints['constructor'], {
    ...create({ ...body, HostConfig: { NetworkMode: 'n' } }, 43).endpoints['n'],
  })
})
