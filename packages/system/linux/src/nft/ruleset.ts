import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/**
 * Runs an nft(8) script as one transaction in the caller's network namespace. Takes 5 ms and more: for what is loaded
 * once. Throws what nft says; ENOENT when it is not installed. `started` is told the netlink port that nft sends from.
 */
export async function loadRuleset(script: string, started?: (portId: number) => void): Promise<void> {
  const nft = spawn('nft', ['-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'] })
  // A process's first netlink socket has its pid as port.
  if (nft.pid !== undefined) started?.(nft.pid)
  // EPIPE: nft has ended before it read everything, and says why.
  nft.stdin.on('error', () => {})
  nft.stdin.end(script)
  const [complaint, [code]] = await Promise.all([text(nft.stderr), once(nft, 'close') as Promise<[number | null]>])
  if (code !== 0) throw new Error(`nft: ${complaint.trim() || `exit status ${code}`}`)
}

/** All tables of the caller's network namespace as nft(8) has them in JSON, without the elements of sets. Throws as above. */
export async function listRuleset(): Promise<unknown> {
  const nft = spawn('nft', ['-j', '-t', 'list', 'ruleset'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [listing, complaint, [code]] = await Promise.all([
    text(nft.stdout),
    text(nft.stderr),
    once(nft, 'close') as Promise<[number | null]>,
  ])
  if (code !== 0) throw new Error(`nft: ${complaint.trim() || `exit status ${code}`}`)
  return JSON.parse(listing)
}
