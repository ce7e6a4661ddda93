import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Cli, type CliProgram, command, type TestEngine } from '@berth/testing'

/** One of the two who are given the script: a command line, and the engine that it talks to. */
export interface Speaker {
  readonly program: CliProgram
  readonly engine: TestEngine
  /** Its own folder of configuration is this one of the engine's. */
  readonly suffix: string
  /** The first three numbers of the addresses of its networks. */
  readonly subnet: string
}

/** The parts of the script, in the order in which they run. */
export const scriptFiles = [
  'run',
  'life',
  'absent',
  'usage',
  'system',
  'networks',
  'sandboxes',
  'volumes',
  'copies',
  'images',
  'config',
  'contexts',
] as const

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface Base {
  readonly name: string
  readonly host: string
}

/**
 * A test for every line of the scripts: both say the same, exit codes and both outputs, but for names, ids and times. A
 * line is the program's arguments, or after `$ ` a shell's, where $CLI is the program. NAME is the speaker's own, FOLDER its
 * own configuration, SUBNET the first three numbers of its own addresses. Of a line with `~ ` in front the two engines say
 * different things by decision (docs/compatibility.md): it is compared on one engine only.
 */
export function compareScripts(files: readonly string[], theirs: Speaker, ours: Speaker): void {
  for (const file of files) {
    describe(`docker and berth say the same: ${file}`, () => {
      const name = ours.engine.name()
      readScript(file).forEach((line, index) => {
        test(`${index + 1}: ${line}`, async () => {
          // Contexts are for those who name no engine.
          const base = (speaker: Speaker): Base => ({ name, host: file === 'contexts' ? '' : speaker.engine.host })
          const text = line.replace(/^~ /, '')
          const wanted = await say(theirs, text, base(theirs))
          const said = await say(ours, text, base(ours))
          if (text === line || theirs.engine === ours.engine) assert.deepEqual(said, wanted)
          else assert.notDeepEqual(said, wanted)
        })
      })
    })
  }
}

/** Makes the folder of a speaker's configuration. */
export function prepareSpeaker(speaker: Speaker): void {
  mkdirSync(folderOf(speaker))
  copyFileSync(new URL('script/ca.pem', import.meta.url), join(folderOf(speaker), 'ca.pem'))
}

const folderOf = (speaker: Speaker): string => join(speaker.engine.folder, speaker.suffix)

async function say(speaker: Speaker, line: string, base: Base): Promise<Said> {
  const name = `${base.name}-${speaker.suffix}`
  const folder = folderOf(speaker)
  const text = line.startsWith('$ ') ? line.slice(2) : `$CLI ${line}`
  const script = text.replaceAll('NAME', name).replaceAll('FOLDER', folder).replaceAll('SUBNET', speaker.subnet)
  const { code, stdout, stderr } = await command('bash', ['-c', script], { env: environment(speaker, base.host) })
  const known = { name, folder, host: base.host }
  return { code, stdout: plain(stdout, known), stderr: plain(stderr, known) }
}

function environment(speaker: Speaker, host: string): Record<string, string> {
  const folder = folderOf(speaker)
  const config = { DOCKER_CONFIG: folder, BERTH_CONFIG: folder, DOCKER_API_VERSION: '1.50' }
  return { ...config, DOCKER_HOST: host, BERTH_HOST: host, CLI: new Cli(speaker.program, speaker.engine).file }
}

/** What has to differ: the programs' names, ids, and times. */
function plain(text: string, { name, folder, host }: Base & { readonly folder: string }): string {
  return (
    (host === '' ? text : text.replaceAll(host, 'HOST'))
      .replaceAll(folder, 'FOLDER')
      .replaceAll(name, 'NAME')
      .replaceAll(/10\.231\.[12]\b/g, 'SUBNET')
      .replaceAll(name.toUpperCase(), 'NAME')
      .replaceAll('docker', 'berth')
      .replaceAll('Docker daemon', 'Berth daemon')
      .replaceAll(/unix:\/\/\/(var\/)?run\/(berth\/)?berth\.sock/g, 'SOCKET')
      .replaceAll(/S?See 'berth|SRun 'berth/g, "Run 'berth")
      .replaceAll(/[0-9a-f]{64}/g, 'LONG-ID')
      .replaceAll(/\b[0-9a-f]{12}\b/g, 'ID')
      .replaceAll(/About an? \w+|Less than a second|\d+ (second|minute)s?/g, 'TIME')
      .replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+( \+0000 UTC|Z)/g, 'TIME')
      .replaceAll(/\b172\.\d+\.\d+\.\d+/g, 'ADDRESS')
      .replaceAll(/ {2,}/g, '  ')
      .replaceAll('crun create failed', 'runc create failed')
      .replaceAll(/(lookup [\w.-]+)( on .*:53:.*|: temporary failure in name resolution)$/gm, '$1: UNRESOLVED')
      .replaceAll(/\/tmp\/[\w-]+\/data\//g, 'DATA/')
      .replaceAll(/archive: at byte \d+: /g, '')
      .replaceAll(/dial tcp (127\.0\.0\.1|\[::1\]):/g, 'dial tcp LOOPBACK:')
      // docker prints this for every failure that it has told of already.
      .replace(/exit status 1\n$/, '')
  )
}

function readScript(file: string): string[] {
  const text = readFileSync(new URL(`script/${file}.txt`, import.meta.url), 'utf8')
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('# '))
}
