import { Duplex } from 'node:stream'

/**
 * A socket behind a stream. Bun's HTTP/2 takes a socket's handle, and misses what was read from it before; of a stream it
 * reads all.
 */
export function wrapSocket(socket: Duplex): Duplex {
  const wrapped = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, done),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy()
      done(error)
    },
  })
  socket.on('data', (chunk: Buffer) => {
    if (!wrapped.push(chunk)) socket.pause()
  })
  socket.on('end', () => wrapped.push(null))
  socket.on('error', (error: Error) => wrapped.destroy(error))
  socket.on('close', () => wrapped.destroy())
  return wrapped
}
