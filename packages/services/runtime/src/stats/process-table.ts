import { readFile, stat } from 'node:fs/promises'
import { codeOf } from '@berth/base'

/** One process as /proc shows it. */
export interface ProcessEntry {
  readonly uid: number
  readonly pid: number
  readonly parentPid: number
  /** Ticks since boot. */
  readonly startTicks: number
  /** Ticks in user and kernel mode. */
  readonly cpuTicks: number
  readonly tty: number
  readonly state: string
  readonly name: string
  readonly args: readonly string[]
}

export interface ProcessTable {
  readonly Titles: string[]
  readonly Processes: string[][]
}

/** What a table is relative to. */
export interface TableContext {
  readonly nowMs: number
  readonly bootMs: number
  readonly userName: (uid: number) => string
}

const ticksPerSecond = 100

/** The table that `ps -ef` prints of `pids`, without running it; processes that ended meanwhile are left out. */
export async function readProcessTable(pids: readonly number[]): Promise<ProcessTable> {
  const [entries, uptime, passwd] = await Promise.all([
    Promise.all(pids.map(readProcess)),
    readFile('/proc/uptime', 'latin1'),
    readFile('/etc/passwd', 'utf8').catch(() => ''),
  ])
  const nowMs = Date.now()
  const names = userNames(passwd)
  const userName = (uid: number) => names.get(uid) ?? String(uid)
  const present = entries.filter((entry) => entry !== undefined)
  return formatProcessTable(present, { nowMs, bootMs: nowMs - Number.parseFloat(uptime) * 1000, userName })
}

export function formatProcessTable(entries: readonly ProcessEntry[], context: TableContext): ProcessTable {
  return {
    Titles: ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'],
    Processes: entries.map((entry) => formatProcess(entry, context)),
  }
}

function formatProcess(entry: ProcessEntry, { nowMs, bootMs, userName }: TableContext): string[] {
  const startMs = bootMs + (entry.startTicks * 1000) / ticksPerSecond
  const elapsedTicks = Math.max(1, ((nowMs - startMs) / 1000) * ticksPerSecond)
  return [
    shortName(userName(entry.uid)),
    String(entry.pid),
    String(entry.parentPid),
    String(Math.min(99, Math.floor((entry.cpuTicks * 100) / elapsedTicks))),
    formatStart(new Date(startMs), new Date(nowMs)),
    formatTty(entry.tty),
    formatDuration(Math.floor(entry.cpuTicks / ticksPerSecond)),
    formatCommand(entry),
  ]
}

/** ps cuts names to its column. */
const shortName = (name: string): string => (name.length > 8 ? `${name.slice(0, 7)}+` : name)

function formatStart(start: Date, now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  if (start.getFullYear() !== now.getFullYear()) return String(start.getFullYear())
  if (start.toDateString() === now.toDateString()) return `${two(start.getHours())}:${two(start.getMinutes())}`
  return `${start.toLocaleString('en-US', { month: 'short' })}${two(start.getDate())}`
}

/** Device numbers of Documentation/admin-guide/devices.txt, packed as in proc_pid_stat(5). */
function formatTty(device: number): string {
  const major = (device >>> 8) & 0xfff
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00)
  if (device === 0) return '?'
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`
  return major === 5 && minor === 1 ? 'console' : '?'
}

function formatDuration(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const days = Math.floor(seconds / 86400)
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':')
  return days > 0 ? `${days}-${clock}` : clock
}

function formatCommand({ args, name, state }: ProcessEntry): string {
  const command = args.length > 0 ? args.join(' ') : `[${name}]`
  // eslint-disable-next-line no-control-regex -- what a terminal would take as a command is shown as `?`
  const printable = command.replace(/[\u0000-\u001f\u007f]/g, '?')
  return state === 'Z' ? `${printable} <defunct>` : printable
}

async function readProcess(pid: number): Promise<ProcessEntry | undefined> {
  try {
    const directory = `/proc/${pid}`
    const [text, command, status] = await Promise.all([
      readFile(`${directory}/stat`, 'utf8'),
      readFile(`${directory}/cmdline`, 'utf8'),
      stat(directory),
    ])
    return parseProcess(text, command, status.uid)
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined
    throw error
  }
}

/** /proc/<pid>/stat and cmdline; the name, in parentheses, may hold any character. */
export function parseProcess(text: string, command: string, uid: number): ProcessEntry {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  const fields = text.slice(close + 2).split(' ')
  const number = (field: number) => Number(fields[field - 3])
  return {
    uid,
    pid: Number(text.slice(0, open)),
    parentPid: number(4),
    startTicks: number(22),
    cpuTicks: number(14) + number(15),
    tty: number(7),
    state: fields[0] ?? '',
    name: text.slice(open + 1, close),
    args: command === '' ? [] : command.replace(/(?<!\0)\0+$/, '').split('\0'),
  }
}

function userNames(passwd: string): Map<number, string> {
  const names = new Map<number, string>()
  for (const line of passwd.split('\n')) {
    const [name = '', , uid = ''] = line.split(':')
    if (/^\d+$/.test(uid) && !names.has(Number(uid))) names.set(Number(uid), name)
  }
  return names
}
