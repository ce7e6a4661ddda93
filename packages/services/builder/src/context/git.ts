import { codeOf, invalid, messageOf, unavailable } from '@berth/base'
import { openInRoot, procFd } from '@berth/linux'
import type { Proxies } from '@berth/registry'
import { execFile } from 'node:child_process'
import { closeSync, constants, readlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseGit } from './parse-git.ts'

const run = promisify(execFile)

export interface CheckOut {
  /** An empty directory. */
  readonly directory: string
  readonly keepsGitDirectory: boolean
  /** The commit that it has to be, beside what the address itself says; '' for any. */
  readonly commit?: string
  readonly proxies: Proxies
  readonly signal: AbortSignal
}

/** Fetches one commit and checks it out; returns the wanted folder, resolved inside the repository. Needs git. */
export async function checkOutGit(text: string, checkOut: CheckOut): Promise<string> {
  const { directory, keepsGitDirectory, commit = '' } = checkOut
  const source = parseGit(text)
  const git = (...args: string[]) => runGit(checkOut, args)
  await git('init', '--quiet')
  const depth = await fetchOne(git, [source.url, source.ref || 'HEAD'])
  await git('-c', 'advice.detachedHead=false', 'checkout', '--quiet', 'FETCH_HEAD')
  const head = (await git('rev-parse', 'HEAD')).trim()
  const wanted = [commit, source.commit].find((one) => !head.startsWith(one))
  if (wanted !== undefined) throw invalid(`expected checksum to match ${wanted}, got ${head}`)
  if (source.hasSubmodules) await git('submodule', 'update', '--quiet', '--init', '--recursive', ...depth)
  const keeps = source.keepsGitDirectory ?? keepsGitDirectory
  if (!keeps) await rm(join(directory, '.git'), { recursive: true, force: true })
  return folderIn(directory, source.folder)
}

/** Fetches a commit alone, or, from a server of plain files, which cannot give less, all before it; how deep, as an option. */
async function fetchOne(git: (...args: string[]) => Promise<string>, what: readonly string[]): Promise<string[]> {
  const shallow = ['--depth=1']
  try {
    await git('fetch', '--quiet', ...shallow, '--', ...what)
    return shallow
  } catch (error) {
    if (!messageOf(error).includes('dumb http transport does not support shallow')) throw error
    await git('fetch', '--quiet', '--', ...what)
    return []
  }
}

/** No hooks, no prompts, no protocol that runs programs, no configuration: neither the user's nor the repository's. */
async function runGit({ directory, proxies, signal }: CheckOut, args: readonly string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    // What is checked out is no home: its .gitconfig would name programs to run.
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    // Its words are read.
    LC_ALL: 'C',
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
    GIT_ALLOW_PROTOCOL: 'http:https:git:ssh',
    http_proxy: proxies.http,
    https_proxy: proxies.https,
    no_proxy: proxies.no,
    ...(process.env['SSH_AUTH_SOCK'] !== undefined && { SSH_AUTH_SOCK: process.env['SSH_AUTH_SOCK'] }),
  }
  const options = [
    '-c',
    'core.hooksPath=/dev/null',
    '-c',
    'core.fsmonitor=false',
    '-c',
    'protocol.ext.allow=never',
    '-c',
    'core.symlinks=true',
  ]
  try {
    const { stdout } = await run('git', [...options, ...args], { cwd: directory, env, signal, maxBuffer: 1 << 20 })
    return stdout
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      throw unavailable('the program git is not found: git contexts need the package git', error)
    signal.throwIfAborted()
    const { stderr = '' } = error as { stderr?: string }
    throw invalid(`git ${args[0]}: ${stderr.trim().slice(0, 2000)}`, error)
  }
}

function folderIn(directory: string, folder: string): string {
  const path = folder.replace(/^\/+/, '')
  try {
    const fd = openInRoot(directory, path || '.', { flags: constants.O_RDONLY | constants.O_DIRECTORY })
    try {
      return readlinkSync(procFd(fd))
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw invalid(`${JSON.stringify(folder)} is no directory of the repository`, error)
  }
}
