import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { cpioArchive, type CpioMember, directoryMode, programMode } from './cpio.ts'
import { type GuestFiles, guestFiles } from './guest-files.ts'
import { moduleOrder } from './module-order.ts'

/** Which cgroup hierarchies a machine has: version 2 alone, or version 1 alone. */
export type CgroupLayout = 'unified' | 'legacy'

export interface MachineOptions {
  readonly cgroups: CgroupLayout
  /** A shell script, run as root with the host's files; its paths are the host's. */
  readonly script: string
  readonly timeoutMs: number
}

/** What the first program needs to mount the host's files and the disk. */
const bootModules = [
  'virtio_pci',
  'virtio_blk',
  'virtio_console',
  '9p',
  '9pnet_virtio',
  'overlay',
  'ext4',
  'crc32c_generic',
]

/**
 * Runs `script` on a kernel of its own, Debian's, in a machine that qemu emulates; its output comes out here as it is
 * written. Returns its exit code; fails when the machine ends without one, with what its console said.
 */
export async function runInMachine({ cgroups, script, timeoutMs }: MachineOptions): Promise<number> {
  const files = guestFiles()
  const folder = mkdtempSync(join(tmpdir(), 'berth-vm-'))
  try {
    const initramfs = join(folder, 'initramfs')
    const disk = join(folder, 'disk')
    writeFileSync(initramfs, buildInitramfs(files))
    makeDisk(disk)
    writeFileSync(join(folder, 'command'), script)
    const parameters = `console=ttyS0 panic=-1 quiet cgroups=${cgroups}`
    const qemu = [...machine, ...kernel(files, initramfs, parameters), ...shares(files, folder), ...ports(folder, disk)]
    await emulate(qemu, timeoutMs)
    return readStatus(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

// Emulated even where /dev/kvm is there: nested machines may be given one that does not work.
// V8 crashes now and then in such a machine: less often than with `-cpu max` of QEMU 7.2.
const machine = '-accel tcg,thread=multi -cpu Nehalem -smp 2 -m 3072 -no-reboot -display none -nic none'.split(' ')

const kernel = ({ overlay, release }: GuestFiles, initramfs: string, parameters: string): string[] =>
  pairs(['kernel', join(overlay, 'boot', `vmlinuz-${release}`)], ['initrd', initramfs], ['append', parameters])

const shares = ({ overlay }: GuestFiles, folder: string): string[] => [
  ...share('host', '/', ',readonly=on,multidevs=remap'),
  ...share('extra', overlay, ',readonly=on'),
  ...share('report', folder, ''),
]

const share = (tag: string, path: string, further: string): string[] =>
  pairs(
    ['fsdev', `local,id=${tag},path=${path},security_model=none${further}`],
    ['device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  )

/** The console into a file, a port for what the script writes, and the disk. */
const ports = (folder: string, disk: string): string[] =>
  pairs(
    ['serial', `file:${join(folder, 'console')}`],
    ['device', 'virtio-serial-pci'],
    ['chardev', 'stdio,id=output,signal=off'],
    ['device', 'virtserialport,chardev=output'],
    ['drive', `file=${disk},format=raw,if=virtio,cache=unsafe`],
  )

const pairs = (...options: readonly (readonly [name: string, value: string])[]): string[] =>
  options.flatMap(([name, value]) => [`-${name}`, value])

async function emulate(args: readonly string[], timeoutMs: number): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs)
  const argv = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...args]
  // An input at its end would disconnect the port.
  const child = spawn('setpriv', argv, { stdio: ['pipe', 'inherit', 'inherit'] })
  const stop = (): boolean => child.kill('SIGKILL')
  signal.addEventListener('abort', stop)
  await once(child, 'exit')
  if (signal.aborted) console.error(`the machine was stopped after ${timeoutMs / 1000} s`)
}

function readStatus(folder: string): number {
  const file = join(folder, 'status')
  if (existsSync(file)) return Number(readFileSync(file, 'utf8'))
  const console = join(folder, 'console')
  throw new Error(`the machine ended early:\n${existsSync(console) ? readFileSync(console, 'utf8').slice(-8000) : ''}`)
}

function makeDisk(file: string): void {
  writeFileSync(file, '')
  truncateSync(file, 16 * 2 ** 30)
  execFileSync('mkfs.ext4', ['-q', '-F', file], { stdio: 'inherit' })
}

function buildInitramfs({ overlay, release }: GuestFiles): Buffer {
  const folder = join(overlay, 'usr/lib/modules', release)
  const modules = moduleOrder(readFileSync(join(folder, 'modules.dep'), 'utf8'), bootModules)
  const program = (path: string, file: string): CpioMember => ({ path, mode: programMode, content: readFileSync(file) })
  return cpioArchive([
    program('init', join(import.meta.dirname, 'init.sh')),
    program('busybox', '/bin/busybox'),
    { path: 'modules', mode: directoryMode },
    {
      path: 'modules/order',
      mode: programMode,
      content: Buffer.from(modules.map((file) => basename(file)).join('\n')),
    },
    ...modules.map((file) => program(`modules/${basename(file)}`, join(folder, file))),
  ])
}
