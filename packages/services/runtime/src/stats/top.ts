import { execFile } from 'node:child_process'
import { internal, invalid, messageOf } from '@berth/base'
import { type ProcessTable, readProcessTable } from './process-table.ts'

const outputLimitBytes = 16 * 1024 * 1024
const timeoutMs = 10_000

/** The processes `pids` (of the host) as `ps` prints them with `psArgs`; '' is -ef. Throws `invalid` for arguments ps refuses. */
export async function readTop(pids: readonly number[], psArgs: string): Promise<ProcessTable> {
  const args = psArgs.split(/\s+/).filter(Boolean)
  if (args.length === 0 || (args.length === 1 && args[0] === '-ef')) return await readProcessTable(pids)
  requireOwnPidColumn(psArgs)
  return parsePsOutput(await runPs(args), new Set(pids))
}

/** `-o pid=X` would rename the column that the selection relies on, or another one to its name. */
function requireOwnPidColumn(psArgs: string): void {
  const match = /(?:^|\s)[^\s]*=\s*(PID[^\s]*)/.exec(psArgs)
  if (match) throw invalid(`specifying ${JSON.stringify(match[0].trim())} is not allowed`)
}

function runPs(args: readonly string[]): Promise<string> {
  const options = { maxBuffer: outputLimitBytes, timeout: timeoutMs, env: { PATH: process.env['PATH'], LC_ALL: 'C' } }
  return new Promise((resolve, reject) => {
    execFile('ps', [...args], options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout)
      const [reason = ''] = stderr.trim().split('\n')
      reject(reason === '' ? internal(`ps: ${messageOf(error)}`, error) : invalid(`ps: ${reason}`, error))
    })
  })
}

/** Keeps the lines of `pids`; the last column takes what is left of a line. */
export function parsePsOutput(output: string, pids: ReadonlySet<number>): ProcessTable {
  const [head = '', ...lines] = output.split('\n')
  const titles = head.trim().split(/\s+/)
  const pidColumn = titles.indexOf('PID')
  if (pidColumn < 0) throw invalid("Couldn't find PID field in ps output")
  const processes: string[][] = []
  let isKept = false
  for (const line of lines) {
    const fields = line.trim().split(/\s+/)
    if (line.trim() === '') continue
    // Threads of the process above have a dash for a pid.
    const pid = fields[pidColumn]
    isKept = pid === '-' ? isKept : pids.has(Number(pid))
    if (!isKept) continue
    processes.push([...fields.slice(0, titles.length - 1), fields.slice(titles.length - 1).join(' ')])
  }
  return { Titles: titles, Processes: processes }
}
