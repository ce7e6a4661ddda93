import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command, useEngine } from '@berth/testing'

/** A real dockerd: the same command line is given to docker and to berth, and what they say is compared. */
const host = process.env['BERTH_PEER_HOST'] ?? ''
const skip = host === '' ? 'BERTH_PEER_HOST names no dockerd' : false
const berth = fileURLToPath(new URL('../../bin/berth', import.meta.url))
const docker = process.env['BERTH_DOCKER_CLI'] ?? 'docker'
const name = `berth-words-${process.pid}`
const env = { DOCKER_HOST: host }

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function say(program: string, line: string): Promise<Said> {
  const words = line.split(' ').map((word) => word.replaceAll('_', ' ').replaceAll('NAME', name))
  const { code, stdout, stderr } = await command(program, words, { env: { DOCKER_HOST: host, BERTH_HOST: host } })
  return { code, stdout: plain(stdout), stderr: plain(stderr) }
}

/** What has to differ: the program's name, and how long ago something was. */
function plain(text: string): string {
  return text
    .replaceAll('docker', 'berth')
    .replaceAll('Docker daemon', 'Berth daemon')
    .replaceAll("See 'berth", "Run 'berth")
    .replace(/About an? \w+|Less than a second|\d+ (second|minute)s?/g, 'T')
}

const lines = [
  'ps',
  'ps -a --no-trunc -f name=NAME',
  'ps -a -f name=NAME --format {{.ID}}:{{.Names}}:{{.State}}:{{.Image}}',
  'ps -a --format {{.Foo}}',
  'ps --format {{',
  'ps extra',
  'ps --foo',
  'ps -x',
  'ps -f foo',
  'ps -f foo=bar',
  'container foo',
  'foo',
  'help foo',
  '--foo',
  '-l foo ps',
  'images --format {{.Foo}}',
  'inspect NAME',
  'inspect NAME nosuch',
  'inspect -f {{.ID}}_{{.State.Status}}_{{.Config.Cmd}}_{{.HostConfig.Binds}}_{{.Config.Labels}} NAME',
  'inspect -f {{if_.State.Health}}x{{else}}none{{end}} NAME',
  'inspect -f {{json_.Config}} NAME',
  'inspect -f {{.Foo}} NAME',
  'inspect -f {{ NAME',
  'inspect --type foo x',
  'inspect bridge',
  'inspect nosuch',
  'logs nosuch',
  'logs --since foo NAME',
  'top NAME',
  'port NAME 80',
  'wait nosuch',
  'start nosuch other',
  'rm nosuch',
  'rm -f nosuch',
  'stop nosuch other',
  'stop -t x NAME',
  'kill NAME',
  'pause NAME',
  'rename NAME NAME',
  'update NAME',
  'update -m x NAME',
  'attach NAME',
  'exec NAME ls',
  'exec NAME',
  'run -m foo x',
  'run -p foo:bar:baz:x x',
  'run Foo',
  'run --rm=foo x',
  'run --pull never nosuch:x',
  'create --mount type=bind x',
  'create --env-file /nosuch x',
  'create -e',
  'tag nosuch FOO',
  'rmi nosuch',
  'history nosuch',
  'save nosuch',
  'load -i /nosuch',
  'import /nosuch',
  'export nosuch',
  'commit NAME FOO:x',
  'version -f {{.Server.Version}}',
  'info -f {{.ServerVersion}}',
  'system df --format {{.Type}}',
  'events --since foo',
  'stats --no-stream nosuch',
  'rm --help',
  'kill --help',
]

describe('berth says what docker says', { skip }, () => {
  useEngine({ host })
  // A stopped container.
  before(async () => {
    const { stdout, stderr } = await command(docker, ['create', '--name', name, 'busybox', 'true'], { env })
    assert.notEqual(stdout, '', stderr)
  })
  after(() => command(docker, ['rm', '-f', name], { env }))
  for (const line of lines) {
    test(line, async () => {
      const [theirs, ours] = await Promise.all([say(docker, line), say(berth, line)])
      assert.deepEqual(ours, theirs)
    })
  }
})
