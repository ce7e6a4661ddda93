import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cli, Terminal, type TestDaemon, until, useEngine } from '@berth/testing'

/** Containers outlive berthd; what is attached to them comes back with it. */
const engine = useEngine()
const cli = new Cli('berth', engine)
const daemon = (): TestDaemon => engine.daemon!
const isBack = /Attached again/

test('run -it is attached again when berthd was killed and comes back, on a terminal that is sane meanwhile', async () => {
  using terminal = new Terminal({ env: cli.env })
  terminal.run(`clear; ${cli.file} run -it --rm busybox sh; echo code=$?`)
  await terminal.shows(/\/ #$/m)
  await daemon().kill('SIGKILL')
  await terminal.shows(/waiting for it to come back/)
  await daemon().start()
  await terminal.shows(isBack)
  terminal.run('echo alive-$((20+3)); exit 6')
  await terminal.shows(/alive-23[^]*code=6$/m)
  assert.match((await terminal.finish('stty -a')).screen, / icanon[^]* echo /)
})

test('attach in a pipe goes on after a restart, and has the exit code of a container that ended meanwhile', async () => {
  const [lasting, ending] = [engine.name(), engine.name()]
  const loop = 'while [ ! -e /end ]; do echo tick; sleep 0.1; done; exit 4'
  await cli.ok('run', '-d', '--name', lasting, 'busybox', 'sh', '-c', loop)
  await cli.ok('run', '-d', '--name', ending, 'busybox', 'sh', '-c', 'sleep 2; exit 3')
  const [first, second] = [cli.start('attach', lasting), cli.start('attach', ending)]
  let [output, complaint] = ['', '']
  first.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()))
  first.stderr!.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  const ends = [first, second].map((child) => new Promise((resolve) => child.once('exit', resolve)))
  second.stdout!.resume()
  second.stderr!.resume()
  await until(() => output.includes('tick'))
  await daemon().kill('SIGTERM')
  await until(() => complaint.includes('waiting'))
  await new Promise((resolve) => setTimeout(resolve, 2500))
  await daemon().start()
  await until(() => isBack.test(complaint), 30_000)
  const seen = output.length
  await until(() => output.length > seen)
  await cli.ok('exec', lasting, 'touch', '/end')
  assert.deepEqual(await Promise.all(ends), [4, 3])
})

test('exec -it ends with an error and a sane terminal when berthd is killed: an exec cannot be attached to again', async () => {
  const name = engine.name()
  await cli.ok('run', '-d', '--name', name, 'busybox', 'sleep', '1000')
  using terminal = new Terminal({ env: cli.env })
  terminal.run(`clear; ${cli.file} exec -it ${name} sh; echo code=$?`)
  await terminal.shows(/\/ #$/m)
  await daemon().kill('SIGKILL')
  await terminal.shows(/code=1$/m)
  assert.match((await terminal.finish('stty -a')).screen, / icanon[^]* echo /)
  await daemon().start()
})

test('stats, with and without names, and logs -f end with an error when berthd is killed', async () => {
  const name = engine.name()
  await cli.ok('run', '-d', '--name', name, 'busybox', 'sh', '-c', 'echo logged; sleep 1000')
  const lines = { stats: /CONTAINER ID/, [`stats ${name}`]: new RegExp(name), [`logs -f ${name}`]: /logged/ }
  for (const [line, shows] of Object.entries(lines)) {
    using terminal = new Terminal({ env: cli.env, columns: 120 })
    terminal.run(`clear; ${cli.file} ${line}; echo code=$?`)
    await terminal.shows(new RegExp(`code=|${shows.source}`))
    await new Promise((resolve) => setTimeout(resolve, 1000))
    await daemon().kill('SIGKILL')
    await terminal.shows(/daemon[^]*code=1$/m)
    await daemon().start()
  }
})
