// Records what the real `docker buildx bake` answers to each case of the corpus: stdout, or its words of refusal.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Case {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const root = fileURLToPath(new URL('..', import.meta.url))
const corpus = join(root, 'packages/apps/cli/src/bake/corpus')
const plugins =
  process.env['BERTH_DOCKER_PLUGINS'] ?? execFileSync(join(root, 'tools/docker-plugins'), { encoding: 'utf8' }).trim()
const cases = JSON.parse(readFileSync(join(corpus, 'cases.json'), 'utf8')) as Case[]
const golden = Object.fromEntries(cases.map((one) => [one.name, record(one)]))
writeFileSync(join(corpus, 'golden.json'), `${JSON.stringify(golden, undefined, 2)}\n`)

function record({ files, args = ['--print'], env = {} }: Case): { stdout: string } | { error: string } {
  const folder = mkdtempSync(join(tmpdir(), 'bake-corpus-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, 'work', path)), { recursive: true })
      writeFileSync(join(folder, 'work', path), text)
    }
    mkdirSync(join(folder, 'config'))
    symlinkSync(join(plugins, 'cli-plugins'), join(folder, 'config/cli-plugins'))
    const { stdout, stderr, status } = spawnSync(join(plugins, 'bin/docker'), ['buildx', 'bake', ...args], {
      cwd: join(folder, 'work'),
      env: { HOME: folder, PATH: '/usr/bin:/bin', DOCKER_CONFIG: join(folder, 'config'), ...env },
      encoding: 'utf8',
    })
    if (status === 0) return { stdout }
    return { error: stderr.replaceAll(/^#1 .*\n/gm, '').trimEnd() }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
