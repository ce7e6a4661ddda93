import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Cli, type CliProgram, useEngine } from '@berth/testing'

// What Docker's command line and ours make of the same templates: output, failures and their words.
const engine = useEngine()

/** A container with something of everything; all tests look at the same one. */
async function withContainer(work: (name: string) => Promise<void>): Promise<void> {
  const name = engine.name()
  const options = [
    '--name',
    name,
    '-l',
    'a=1',
    '-l',
    'a.b/c=2',
    '-e',
    'A=1',
    '-e',
    'B=two',
    '--tmpfs',
    '/t',
    '-p',
    '80',
  ]
  await new Cli('docker', engine).ok('run', '-d', ...options, 'busybox', 'sleep', '1000')
  try {
    await work(name)
  } finally {
    await new Cli('docker', engine).ok('rm', '-f', name)
  }
}

const templates = (file: string): string[] =>
  readFileSync(new URL(`templates/${file}.txt`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')

async function say(program: CliProgram, args: readonly string[]) {
  const { code, stdout, stderr } = await new Cli(program, engine).run(args)
  const plain = (text: string) => text.replaceAll('docker', 'berth').replaceAll('Docker', 'Berth')
  return { code, stdout: plain(stdout), stderr: plain(stderr) }
}

async function compareOne(args: readonly string[]): Promise<void> {
  const [theirs, ours] = await Promise.all((['docker', 'berth'] as const).map((program) => say(program, args)))
  assert.deepEqual(ours, theirs, args.join(' '))
}

test('inspect makes of every template what docker does', () =>
  withContainer(async (name) => {
    for (const template of templates('inspect')) await compareOne(['inspect', '-f', template, name])
  }))

test('inspect makes of networks, volumes and images what docker does', async () => {
  const docker = new Cli('docker', engine)
  const [network, volume] = [engine.name(), engine.name()]
  await docker.ok('network', 'create', network)
  await docker.ok('volume', 'create', volume)
  try {
    for (const [object, ...formats] of [
      [['network', 'inspect', network], '{{.}}', '{{.Created}}', '{{json .Created}}', '{{len .Containers}}'],
      [['network', 'inspect', 'none'], '{{.IPAM}} {{.IPAM.Config}} {{.ConfigFrom}} {{.Peers}} {{.Services}}'],
      [['network', 'inspect', 'none'], '{{if .Created}}y{{end}}{{eq .Created 1}}', '{{.Created.Foo}}'],
      [['volume', 'inspect', volume], '{{.}}', '{{.ClusterVolume}} {{.Status}} {{.UsageData}}', '{{.Foo}}'],
      [['image', 'inspect', 'busybox'], '{{.Descriptor}} {{.Manifests}} {{.GraphDriver}} {{.Metadata}}', '{{.RootFS}}'],
    ] as const) {
      for (const format of formats) await compareOne([...object, '-f', format])
    }
  } finally {
    await docker.ok('network', 'rm', network)
    await docker.ok('volume', 'rm', volume)
  }
})

test('ps makes of every template what docker does', () =>
  withContainer(async (name) => {
    for (const template of templates('ps')) await compareOne(['ps', '--filter', `name=${name}`, '--format', template])
  }))

test('ps --quiet and raw formats are as with docker', () =>
  withContainer(async (name) => {
    for (const args of [
      ['ps', '-q', '--filter', `name=${name}`, '--format', '{{.Names}}'],
      ['images', '--format', 'raw'],
      ['images', '--digests', '--format', 'raw'],
      ['images', '-q', '--format', 'raw'],
      ['network', 'ls', '--format', 'raw'],
      ['network', 'ls', '-q', '--format', 'raw'],
      ['volume', 'ls', '--format', 'raw'],
    ]) {
      await compareOne(args)
    }
  }))
