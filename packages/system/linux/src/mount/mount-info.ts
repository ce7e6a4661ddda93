import { readFileSync } from 'node:fs'

/** One line of /proc/<pid>/mountinfo (proc_pid_mountinfo(5)). */
export interface MountInfo {
  readonly id: number
  readonly parent: number
  /** major:minor */
  readonly device: string
  /** The directory of the file system that is mounted. */
  readonly root: string
  readonly target: string
  readonly options: readonly string[]
  /** `shared:N`, `master:N`, `propagate_from:N`, `unbindable`. */
  readonly optional: readonly string[]
  readonly type: string
  readonly source: string
  readonly superOptions: readonly string[]
}

/** The mounts of a process, in the order they were made. */
export function readMountInfo(pid: number | 'self' = 'self'): MountInfo[] {
  return parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'))
}

export function parseMountInfo(text: string): MountInfo[] {
  return text.split('\n').filter(Boolean).map(parseLine)
}

function parseLine(line: string): MountInfo {
  const fields = line.split(' ')
  const separator = fields.indexOf('-', 6)
  const at = (index: number): string => {
    const field = fields[index]
    if (field === undefined || separator < 0) throw new Error(`malformed mountinfo line: ${line}`)
    return unescape(field)
  }
  return {
    id: Number(at(0)),
    parent: Number(at(1)),
    device: at(2),
    root: at(3),
    target: at(4),
    options: at(5).split(','),
    optional: fields.slice(6, separator),
    type: at(separator + 1),
    source: at(separator + 2),
    superOptions: at(separator + 3).split(','),
  }
}

// Space, tab, newline, # and backslash are written as three octal digits. Names beyond ASCII come as they are.
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
