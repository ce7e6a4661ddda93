import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { EngineClient } from '@berth/engine-client'
import { createCli } from '../cli.ts'
import { parseFlags } from '../flags/parse-flags.ts'
import { globalFlags } from '../global-flags.ts'
import { complete } from './complete.ts'
import { completionScripts } from './scripts.ts'

const folder = mkdtempSync(join(tmpdir(), 'berth-completion-'))
const socket = join(folder, 'engine.sock')

const containers = [
  { Names: ['/web'], Image: 'nginx', Status: 'Up 5 minutes' },
  { Names: ['/other/alias', '/worker'], Image: 'busybox', Status: 'Up' },
]
const engine = createServer((request, response) => {
  const url = new URL(request.url ?? '', 'http://engine')
  const stopped = url.searchParams.get('filters')?.includes('exited') === true
  if (url.pathname.endsWith('/containers/json')) response.end(JSON.stringify(stopped ? [] : containers))
  else if (url.pathname.endsWith('/networks')) response.end('[{"Name":"front","Driver":"bridge"}]')
  else if (url.pathname.endsWith('/images/json')) response.end('[{"RepoTags":["nginx:latest","app:1"]}]')
  else response.end('{"Volumes":null}')
})

before(() => new Promise<void>((resolve) => engine.listen(socket, resolve)))
after(() => {
  engine.close()
  engine.closeAllConnections()
  rmSync(folder, { recursive: true })
})

async function offer(line: string): Promise<string[]> {
  const client = new EngineClient({ endpoint: { kind: 'unix', path: socket } })
  const cli = createCli({
    env: {},
    globals: parseFlags(globalFlags, [], false).flags,
    commandPath: 'berth',
    configDirectory: folder,
    connect: () => client,
    readConfig: () => ({}),
  })
  const { candidates, files } = await complete(cli, line.split(' '))
  client.close()
  return [...candidates.map(({ text }) => text), ...(files ? [':files'] : [])]
}

const lines: [line: string, offered: string[]][] = [
  ['netw', ['network']],
  ['network ', ['connect', 'create', 'disconnect', 'inspect', 'ls', 'prune', 'rm']],
  ['stop ', ['web', 'worker']],
  ['stop w', ['web', 'worker']],
  ['stop web ', ['worker']],
  ['start ', []],
  ['ps --no-t', ['--no-trunc']],
  ['-H unix:///x logs we', ['web']],
  ['run --network ', ['front']],
  ['run --network=fr', ['--network=front']],
  ['run -it --pull ', ['always', 'missing', 'never']],
  ['run --rm ', ['nginx', 'nginx:latest', 'app:1']],
  ['run --env-file ', [':files']],
  ['run nginx ', []],
  ['rm -f -- w', ['web', 'worker']],
  ['network connect front ', ['web', 'worker']],
  ['inspect fr', ['front']],
  ['load -i ', [':files']],
  ['context use ', ['default']],
  ['build --progress ', ['auto', 'none', 'plain', 'quiet', 'rawjson', 'tty']],
  ['buildx build --call ', ['build', 'check', 'outline', 'targets']],
  ['build --call=ch', ['--call=check']],
  ['build --allow s', ['security.insecure']],
  ['build --prov', ['--provenance']],
  ['buildx bake --metadata-file ', [':files']],
  ['buildx bake --allow n', ['network.host']],
  ['buildx bake --pr', ['--print', '--progress', '--provenance']],
  ['buildx history ', ['inspect', 'logs', 'ls', 'rm']],
  ['buildx history logs --progress r', ['rawjson']],
  ['buildx history rm --a', ['--all']],
  ['nosuch ', []],
]

for (const [line, offered] of lines) {
  test(`complete() offers for '${line}'`, async () => assert.deepEqual(await offer(line), offered))
}

test('the script for bash completes by what berth says', async () => {
  const berth = join(folder, 'berth')
  const main = fileURLToPath(new URL('../main.ts', import.meta.url))
  writeFileSync(berth, `#!/bin/sh\nexec ${process.execPath} --no-warnings -- ${main} "$@"\n`)
  chmodSync(berth, 0o755)
  const script = `${completionScripts['bash']}
complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}; _berth; printf '%s\\n' "\${COMPREPLY[@]}"; }
complete_line ${berth} network connect front ''
complete_line ${berth} --hel
`
  const env = { ...process.env, BERTH_HOST: `unix://${socket}`, BERTH_CONFIG: folder }
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { env })
  assert.deepEqual(stdout.trim().split('\n'), ['web', 'worker', '--help'])
})

test('complete() offers the targets and groups of a bake file', async () => {
  const before = process.cwd()
  writeFileSync(
    join(folder, 'docker-bake.hcl'),
    'group "all" {\n  targets = ["app"]\n}\ntarget "app" {}\ntarget "_base" {}\n',
  )
  process.chdir(folder)
  try {
    assert.deepEqual(await offer('buildx bake '), ['all', 'app'])
    assert.deepEqual(await offer('buildx bake app '), ['all'])
  } finally {
    process.chdir(before)
  }
})
