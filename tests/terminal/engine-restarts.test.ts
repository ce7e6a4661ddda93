import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
  const loop = (file: string, code: number) => `while [ ! -e ${file} ]; do echo tick; sleep 0.1; done; exit ${code}`
  await cli.ok('run', '-d', '--name', lasting, 'busybox', 'sh', '-c', loop('/end', 4))
  await cli.ok(
    'run',
    '-d',
    '--name',
    ending,
    '-v',
    `${engine.folder}:/seen`,
    'busybox',
    'sh',
    '-c',
    loop('/seen/end', 3),
  )
  const pid = await cli.ok('inspect', '-f', '{{.State.Pid}}', ending)
  const [first, second] = [attach(lasting), attach(ending)]
  await until(() => first.output.includes('tick') && second.output.includes('tick'))
  await daemon().kill('SIGTERM')
  await until(() => first.complaint.includes('waiting'))
  writeFileSync(join(engine.folder, 'end'), '')
  await until(() => !existsSync(`/proc/${pid}`))
  await daemon().start()
  await until(() => isBack.test(first.complaint), 30_000)
  const seen = first.output.length
  await until(() => first.output.length > seen)
  await cli.ok('exec', lasting, 'touch', '/end')
  assert.deepEqual(await Promise.all([first.end, second.end]), [4, 3])
})

/** A client in pipes, and what it says as it goes. */
function attach(name: string): { output: string; complaint: string; readonly end: Promise<unknown> } {
  const child = cli.start('attach', name)
  const said = { output: '', complaint: '', end: new Promise((resolve) => child.once('exit', resolve)) }
  child.stdout!.on('data', (chunk: Buffer) => (said.output += chunk.toString()))
  child.stderr!.on('data', (chunk: Buffer) => (said.complaint += chunk.toString()))
  return said
}

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
