import { codeOf, invalid, unavailable } from '@berth/base'
import { openInRoot, procFd } from '@berth/linux'
import type { Proxies } from '@berth/registry'
import { execFile } from 'node:child_process'
import { closeSync, constants, readlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A repository, what of it, and where in it: `https://host/repo.git#ref:folder`. */
export interface GitSource {
  readonly url: string
  readonly ref: string
  readonly folder: string
}

/** Whether a context or source is a git repository: https://docs.docker.com/build/concepts/context/#git-repositories */
export function isGit(text: string): boolean {
  if (/^(?:git:\/\/|git@|ssh:\/\/|github\.com\/)/.test(text)) return true
  return /^https?:\/\/[^#?]*\.git(?:[#?]|$)/.test(text)
}

/** Takes a source apart. Throws `invalid` for a ref that git would take for an option. */
export function parseGit(text: string): GitSource {
  const hash = text.indexOf('#')
  const address = hash < 0 ? text : text.slice(0, hash)
  const fragment = hash < 0 ? '' : text.slice(hash + 1)
  const [ref = '', ...rest] = fragment.split(':')
  if (ref.startsWith('-') || address.startsWith('-'))
    throw invalid(`invalid git reference: ${JSON.stringify(ref || address)}`)
  return { url: address.startsWith('github.com/') ? `https://${address}` : address, ref, folder: rest.join(':') }
}

export interface CheckOut {
  /** An empty directory. */
  readonly directory: string
  readonly keepsGitDirectory: boolean
  readonly proxies: Proxies
  readonly signal: AbortSignal
}

/** Fetches one commit and checks it out; returns the wanted folder, resolved inside the repository. Needs git. */
export async function checkOutGit(text: string, checkOut: CheckOut): Promise<string> {
  const { directory, keepsGitDirectory } = checkOut
  const { url, ref, folder } = parseGit(text)
  const git = (...args: string[]) => runGit(checkOut, args)
  await git('init', '--quiet')
  await git('fetch', '--quiet', '--depth=1', '--', url, ref || 'HEAD')
  await git('-c', 'advice.detachedHead=false', 'checkout', '--quiet', 'FETCH_HEAD')
  await git('submodule', 'update', '--quiet', '--init', '--recursive', '--depth=1')
  if (!keepsGitDirectory) await rm(join(directory, '.git'), { recursive: true, force: true })
  return folderIn(directory, folder)
}

/** No hooks, no prompts, no protocol that runs programs, no configuration: neither the user's nor the repository's. */
async function runGit({ directory, proxies, signal }: CheckOut, args: readonly string[]): Promise<void> {
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    // What is checked out is no home: its .gitconfig would name programs to run.
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
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
    await run('git', [...options, ...args], { cwd: directory, env, signal, maxBuffer: 1 << 20 })
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
