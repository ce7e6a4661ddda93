import { open } from 'node:fs/promises'

/** Where the bytes of a blob are read from; whoever opened it disposes it. */
export interface BlobSource extends AsyncDisposable {
  readonly sizeBytes: number
  /** Fills the buffer from `position` on as far as there is something, waiting for the first byte; returns how much. */
  read(buffer: Uint8Array, position: number): Promise<number>
}

export async function openFileSource(path: string, sizeBytes: number): Promise<BlobSource> {
  const file = await open(path)
  return {
    sizeBytes,
    read: async (buffer, position) => {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
      if (bytesRead === 0) throw new Error(`${path} is shorter than it was`)
      return bytesRead
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}
