import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** What a virtual machine has beside the files of its host. */
export interface GuestFiles {
  /** Of the kernel, as `uname -r` has it. */
  readonly release: string
  /** Laid over the host's root: the kernel with its modules, and programs that the host need not have. */
  readonly overlay: string
}

/** Debian's packages in the guest alone. kmod finds the kernel's modules. */
const guestPackages = ['kmod', 'apparmor', 'nfs-kernel-server', 'nfs-common', 'cifs-utils', 'samba']

/** Debian's kernel and the guest's packages: from its mirror the first time (some 90 MB), then cached. */
export function guestFiles(): GuestFiles {
  if (process.arch !== 'x64') throw new Error(`no virtual machine for ${process.arch} yet`)
  const cache = process.env['BERTH_TEST_CACHE'] ?? join(homedir(), '.cache/berth-test')
  const key = createHash('sha256').update(guestPackages.join()).digest('hex').slice(0, 12)
  const folder = join(cache, `vm-${process.arch}-${key}`)
  if (!existsSync(folder)) fetchInto(folder)
  const overlay = join(folder, 'overlay')
  return { release: releaseIn(overlay), overlay }
}

function fetchInto(folder: string): void {
  const half = `${folder}.${process.pid}`
  const archives = join(half, 'archives')
  mkdirSync(join(archives, 'partial'), { recursive: true })
  try {
    download(archives)
    const overlay = join(half, 'overlay')
    makeMergedRoot(overlay)
    for (const archive of globSync(join(archives, '*.deb'))) unpack(archive, overlay)
    const depmod = spawnSync(kmodIn(overlay), ['-b', overlay, releaseIn(overlay)], {
      argv0: 'depmod',
      stdio: 'inherit',
    })
    if (depmod.status !== 0) throw new Error('depmod failed')
    rmSync(archives, { recursive: true })
    renameSync(half, folder)
  } finally {
    rmSync(half, { recursive: true, force: true })
  }
}

function download(archives: string): void {
  const quiet = ['-qq', '-o', 'DPkg::Lock::Timeout=300', '-o', `Dir::Cache::archives=${archives}`]
  const apt = (args: readonly string[], cwd = archives): void => {
    execFileSync('apt-get', [...quiet, ...args], { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
  }
  apt(['update'])
  // What the host has, the guest has too.
  apt(['install', '--download-only', '--yes', '--no-install-recommends', ...guestPackages])
  apt(['download', kernelPackage()])
}

/** The one that the metapackage stands for: linux-image-6.1.0-50-amd64. */
function kernelPackage(): string {
  const text = execFileSync('apt-cache', ['depends', 'linux-image-amd64'], { encoding: 'utf8' })
  const name = /Depends: (linux-image-\S+)/.exec(text)?.[1]
  if (name === undefined) throw new Error(`apt-cache names no kernel:\n${text}`)
  return name
}

/** With Debian's links of /bin and such, without which a package's folder would hide the host's. */
function makeMergedRoot(root: string): void {
  for (const name of ['bin', 'sbin', 'lib']) {
    mkdirSync(join(root, 'usr', name), { recursive: true })
    symlinkSync(`usr/${name}`, join(root, name))
  }
}

function unpack(archive: string, root: string): void {
  const script = 'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2"'
  execFileSync('bash', ['-o', 'pipefail', '-c', script, 'unpack', archive, root], { stdio: 'inherit' })
}

function kmodIn(overlay: string): string {
  const own = join(overlay, 'usr/bin/kmod')
  return existsSync(own) ? own : '/usr/bin/kmod'
}

function releaseIn(overlay: string): string {
  const [release, ...others] = readdirSync(join(overlay, 'usr/lib/modules'))
  if (release === undefined || others.length > 0) throw new Error(`not one kernel in ${overlay}`)
  return release
}
