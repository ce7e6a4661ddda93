import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allCapabilities } from '../spec/capabilities.ts'
import { capabilitiesOf, parseKernelVersion, readHostFacts } from './read-host-facts.ts'

test('readHostFacts() knows this machine', () => {
  const facts = readHostFacts()
  assert.ok(facts.cpuCount > 0 && facts.memoryBytes > 0 && facts.kernelVersion.major >= 4)
  assert.equal(facts.capabilities[0], 'CAP_CHOWN')
})

test('readHostFacts() takes the init program that is asked for, by path or by name, and refuses one that is none', () => {
  assert.equal(readHostFacts({ initProgram: process.execPath }).initPath, process.execPath)
  assert.equal(readHostFacts({ initProgram: 'sh' }).initPath?.split('/').at(-1), 'sh')
  for (const initProgram of ['/etc/passwd', '/nosuch/init', '/usr/bin', 'nosuch-init']) {
    const message = `invalid --init-path: there is no executable file ${initProgram}`
    assert.throws(() => readHostFacts({ initProgram }), { kind: 'invalid', message })
  }
})

test('capabilitiesOf() names the bits of the bounding set', () => {
  assert.deepEqual(capabilitiesOf('CapEff:\t0\nCapBnd:\t0000000000000021\n', allCapabilities), [
    'CAP_CHOWN',
    'CAP_KILL',
  ])
})

test('parseKernelVersion() takes the first two numbers', () => {
  assert.deepEqual(parseKernelVersion('6.18.44-fc'), { major: 6, minor: 18, release: '6.18.44-fc' })
})
