import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Two ends of a connection; nobody uses `fd` yet. */
export async function openConnection(): Promise<{ client: Socket; peer: Socket; fd: number } & Disposable> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-socket-'))
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true })
  server.listen(join(directory, 's'))
  await once(server, 'listening')
  const client = connect(join(directory, 's'))
  const [peer] = (await once(server, 'connection')) as [Socket & { _handle: { fd: number } }]
  const dispose = () => {
    client.destroy()
    peer.destroy()
    server.close()
    rmSync(directory, { recursive: true })
  }
  return { client, peer, fd: peer._handle.fd, [Symbol.dispose]: dispose }
}
