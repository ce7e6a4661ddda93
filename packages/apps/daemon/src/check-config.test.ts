import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkConfig } from './check-config.ts'
import { Config } from './config/config.ts'
import type { OptionValues } from './config/values.ts'

const refusal = (values: OptionValues): string => {
  try {
    checkConfig(new Config(values))
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

test('checkConfig() takes what is left open, and what can be meant', () => {
  assert.equal(refusal({}), '')
  const values = {
    'log-level': 'warn',
    'log-format': 'json',
    labels: ['a=1', 'b=', 'a=1'],
    'storage-driver': 'vfs',
    'default-ulimits': { nofile: { Name: 'nofile', Soft: 1, Hard: 2 } },
    features: { buildkit: true, 'containerd-snapshotter': false },
    'log-driver': 'local',
    'log-opts': { 'max-size': '1m' },
  }
  assert.equal(refusal(values), '')
})

test('checkConfig() names the setting that cannot be meant', () => {
  const cases: [OptionValues, string][] = [
    [{ 'log-level': 'bogus' }, 'invalid logging level: bogus'],
    [{ debug: true, 'log-level': 'bogus' }, 'invalid logging level: bogus'],
    [{ 'log-format': 'bogus' }, 'invalid log format: bogus'],
    [{ labels: ['a'] }, 'bad attribute format: a'],
    [{ labels: ['a=1', 'a=2'] }, 'conflict labels for a=2 and a=1'],
    [{ features: { x: true } }, 'unknown feature: x'],
    [{ features: { constructor: false } }, 'unknown feature: constructor'],
    [{ features: { cdi: true } }, 'feature cdi is refused: the Container Device Interface is not supported yet'],
    [{ hosts: ['bogus://x'] }, 'invalid bind address (bogus://x): use unix:///path, tcp://host:port or fd://'],
    [{ hosts: ['fd://x'] }, 'failed to parse systemd fd address: should be a number: x'],
    [{ 'storage-driver': 'bogus' }, 'invalid --storage-driver: bogus: use overlay2 or vfs'],
    [{ 'min-free-space': 'x' }, 'invalid --min-free-space: "x" is neither a size (2g) nor a part (5%)'],
    [{ dns: ['x'] }, 'invalid --dns: x is not an IP address'],
    [{ 'registry-mirrors': ['x'] }, 'invalid mirror: "x": want a URL of http or https'],
    [{ 'max-concurrent-downloads': -1 }, 'invalid --max-concurrent-downloads: -1: at least 1'],
    [{ 'exec-opts': ['foo=bar'] }, 'invalid exec-opt: foo=bar'],
    [{ 'default-shm-size': 'x' }, "invalid --default-shm-size: invalid size: 'x'"],
    [{ 'default-ipc-mode': 'x' }, 'invalid --default-ipc-mode: x'],
    [{ 'default-cgroupns-mode': 'x' }, 'invalid --default-cgroupns-mode: x'],
    [{ 'log-driver': 'bogus' }, 'error looking up logging plugin bogus: plugin "bogus" not found'],
    [{ 'log-opts': { foo: 'x' } }, "unknown log opt 'foo' for json-file log driver"],
    [
      { 'default-ulimits': { nofile: { Name: 'nofile', Soft: 2, Hard: 1 } } },
      'ulimit soft limit must be less than or equal to hard limit: 2 > 1',
    ],
    [{ builder: { history: { maxEntries: 0 } } }, 'daemon.json: builder.history.maxEntries: want 1 to 10000, not 0'],
    [{ builder: { gc: { policy: [{ filter: ['valueOf=x'] }] } } }, "invalid filter 'valueOf'"],
    [{ builder: { gc: { defaultMaxUsedSpace: 'x' } } }, "invalid --builder.gc maxUsedSpace: invalid size: 'x'"],
  ]
  for (const [values, message] of cases) assert.equal(refusal(values), message)
})
