import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { Cli, Terminal, useEngine } from '@berth/testing'

/** What a user of a terminal sees, of docker's command line and of ours. */
const engine = useEngine()
const modes = `stty -a | grep -o -E -e '-?(icanon|echo|isig|opost|icrnl)\\b' | sort | tr '\\n' ' '`
const interrupt = '\u0003'

for (const program of ['docker', 'berth'] as const) {
  const cli = new Cli(program, engine)
  const open = (): Terminal => new Terminal({ env: cli.env })
  const sane = async (terminal: Terminal): Promise<void> => {
    assert.equal((await terminal.finish(modes)).screen.trim(), 'echo icanon icrnl isig opost')
  }

  describe(program, () => {
    test('run -it follows the size of the terminal, and leaves its modes as they were', async () => {
      using terminal = open()
      await sane(terminal)
      terminal.run(`clear; ${cli.file} run -it --rm busybox sh; echo code=$?`)
      await terminal.shows(/\/ #$/m)
      terminal.run('stty size')
      await terminal.shows(/^24 80$/m)
      terminal.resize(132, 43)
      terminal.run('while [ "$(stty size)" != "43 132" ]; do sleep 0.1; done; echo resized; exit 7')
      await terminal.shows(/^resized$/m)
      await terminal.shows(/^code=7$/m)
      await sane(terminal)
    })

    test('exec -it follows the size of the terminal, and passes its exit code on', async () => {
      const name = engine.name()
      await cli.ok('run', '-d', '--name', name, 'busybox', 'sleep', '1000')
      using terminal = open()
      terminal.run(`clear; ${cli.file} exec -it ${name} sh; echo code=$?`)
      await terminal.shows(/\/ #$/m)
      terminal.resize(100, 30)
      terminal.run('while [ "$(stty size)" != "30 100" ]; do sleep 0.1; done; echo resized; exit 5')
      await terminal.shows(/^code=5$/m)
      await sane(terminal)
    })

    test('the keys that detach leave the container to itself, those of --detach-keys too', async () => {
      const name = engine.name()
      using terminal = open()
      terminal.run(`clear; ${cli.file} run -it --name ${name} busybox sh; echo code=$?`)
      await terminal.shows(/\/ #$/m)
      terminal.type('\u0010\u0011')
      await terminal.shows(/code=0$/m)
      await sane(terminal)
      terminal.run(`clear; ${cli.file} attach --detach-keys ctrl-x,q ${name}; echo code=$?`)
      await sleep(500)
      terminal.run('echo back-$((20+3))')
      await terminal.shows(/^back-23$/m)
      terminal.type('\u0010\u0011\u0018q')
      await terminal.shows(/read escape sequence\ncode=1$/m)
      await sane(terminal)
      assert.equal(await cli.ok('inspect', '-f', '{{.State.Running}}', name), 'true')
    })

    test('control-C goes to the container, whatever runs there decides', async () => {
      using terminal = open()
      const script = 'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 0.1; done'
      for (const flags of ['', '-t', '-it']) {
        terminal.run(`clear; ${cli.file} run --rm ${flags} busybox sh -c '${script}'; echo code=$?`)
        await terminal.shows(/^ready$/m)
        terminal.type(interrupt)
        await terminal.shows(/caught\s+code=9$/m)
        await sane(terminal)
      }
    })

    test('a third control-C gives up on a container that heeds none', async () => {
      const name = engine.name()
      using terminal = open()
      const script = 'trap "" INT; echo ready; sleep 1000'
      terminal.run(`clear; ${cli.file} run --name ${name} busybox sh -c '${script}'; echo code=$?`)
      await terminal.shows(/^ready$/m)
      for (let count = 0; count < 3; count++) {
        terminal.type(interrupt)
        await sleep(200)
      }
      await terminal.shows(/got 3 SIGTERM\/SIGINTs, forcefully exiting\ncode=1$/m)
      assert.equal(await cli.ok('inspect', '-f', '{{.State.Running}}', name), 'true')
    })

    test('a command that fails leaves the terminal as it was', async () => {
      using terminal = open()
      for (const [line, code] of [
        ['run -it --rm busybox nosuch', 127],
        ['exec -it nosuch sh', 1],
        ['run -it --rm nosuch:never --pull never', 125],
        ['attach nosuch', 1],
      ] as const) {
        assert.equal((await terminal.finish(`${cli.file} ${line}`)).code, code, line)
        await sane(terminal)
      }
    })

    test('without a terminal, -it is refused, and -t alone is not', async () => {
      const refused = await cli.run(['run', '--rm', '-it', 'busybox', 'true'])
      assert.match(refused.stderr, /the input device is not a TTY/)
      const { code, stdout } = await cli.run(['run', '--rm', '-t', 'busybox', 'tty'])
      assert.deepEqual([code, stdout], [0, '/dev/pts/0\r\n'])
    })
  })
}
