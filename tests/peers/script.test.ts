import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { Cli, type CliProgram, command, useEngine } from '@berth/testing'

/**
 * The same script, line by line, by docker's command line and by ours, against one engine: exit codes and both outputs
 * have to be the same, but for names, ids and times. A line is the program's arguments, or after `$ ` a shell's, where
 * $CLI is the program. NAME is the program's own, FOLDER its own configuration, SUBNET the first three numbers of its own
 * addresses.
 */
const engine = useEngine({ images: ['busybox', 'hello-world'] })
const programs: readonly CliProgram[] = ['docker', 'berth']
const suffix: Record<CliProgram, string> = { docker: 'da', berth: 'be' }
const subnet: Record<CliProgram, string> = { docker: '10.231.1', berth: '10.231.2' }

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function folderOf(program: CliProgram): string {
  return join(engine.folder, suffix[program])
}

before(() => {
  for (const program of programs) {
    mkdirSync(folderOf(program))
    copyFileSync(new URL('script/ca.pem', import.meta.url), join(folderOf(program), 'ca.pem'))
  }
})

async function say(program: CliProgram, line: string, base: { name: string; host: string }): Promise<Said> {
  const name = `${base.name}-${suffix[program]}`
  const folder = folderOf(program)
  const text = line.startsWith('$ ') ? line.slice(2) : `$CLI ${line}`
  const script = text.replaceAll('NAME', name).replaceAll('FOLDER', folder).replaceAll('SUBNET', subnet[program])
  const { code, stdout, stderr } = await command('bash', ['-c', script], { env: environment(program, base.host) })
  return { code, stdout: plain(stdout, name, folder), stderr: plain(stderr, name, folder) }
}

function environment(program: CliProgram, host: string): Record<string, string> {
  const config = { DOCKER_CONFIG: folderOf(program), BERTH_CONFIG: folderOf(program), DOCKER_API_VERSION: '1.50' }
  return { ...config, DOCKER_HOST: host, BERTH_HOST: host, CLI: new Cli(program, engine).file }
}

/** What has to differ: the programs' names, ids, and times. */
function plain(text: string, name: string, folder: string): string {
  return (
    text
      .replaceAll(folder, 'FOLDER')
      .replaceAll(name, 'NAME')
      .replaceAll(/10\.231\.[12]\b/g, 'SUBNET')
      .replaceAll(name.toUpperCase(), 'NAME')
      .replaceAll('docker', 'berth')
      .replaceAll('Docker daemon', 'Berth daemon')
      .replaceAll(/unix:\/\/\/(var\/)?run\/(berth\/)?berth\.sock/g, 'SOCKET')
      .replaceAll("See 'berth", "Run 'berth")
      .replaceAll(/[0-9a-f]{64}/g, 'LONG-ID')
      .replaceAll(/\b[0-9a-f]{12}\b/g, 'ID')
      .replaceAll(/About an? \w+|Less than a second|\d+ (second|minute)s?/g, 'TIME')
      .replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+( \+0000 UTC|Z)/g, 'TIME')
      .replaceAll(/\b172\.\d+\.\d+\.\d+/g, 'ADDRESS')
      .replaceAll(/ {2,}/g, '  ')
      // docker prints this for every failure that it has told of already.
      .replace(/exit status 1\n$/, '')
  )
}

function readScript(file: string): string[] {
  const text = readFileSync(new URL(`script/${file}.txt`, import.meta.url), 'utf8')
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('# '))
}

for (const file of ['run', 'life', 'absent', 'system', 'networks', 'contexts']) {
  describe(`docker and berth say the same: ${file}`, () => {
    const name = engine.name()
    readScript(file).forEach((line, index) => {
      test(`${index + 1}: ${line}`, async () => {
        // Contexts are for those who name no engine.
        const base = { name, host: file === 'contexts' ? '' : engine.host }
        const theirs = await say('docker', line, base)
        assert.deepEqual(await say('berth', line, base), theirs)
      })
    })
  })
}
