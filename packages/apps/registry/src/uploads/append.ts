import { type FileHandle, open } from 'node:fs/promises'

/** Small chunks are gathered up to so much before they are written. */
const gatherBytes = 512 * 1024

/**
 * Writes what `source` yields at `offset` of the file. `take` is told of each chunk, in order, while it is written; when
 * it throws, so does this. On failure the file may be longer or shorter than what was taken.
 */
export async function appendTo(
  path: string,
  offset: number,
  source: AsyncIterable<Uint8Array>,
  take: (bytes: Uint8Array) => void,
): Promise<void> {
  await using file = await open(path, 'r+')
  let at = offset
  let pending: Promise<void> = Promise.resolve()
  let gathered: Uint8Array[] = []
  let gatheredBytes = 0
  const flush = async (): Promise<void> => {
    await pending
    const [buffers, bytes] = [gathered, gatheredBytes]
    pending = writeAll(file, buffers, at)
    // Awaited at the next flush; a failure must not count as unhandled until then.
    pending.catch(() => {})
    gathered = []
    gatheredBytes = 0
    at += bytes
  }
  try {
    for await (const chunk of source) {
      take(chunk)
      gathered.push(chunk)
      gatheredBytes += chunk.length
      if (gatheredBytes >= gatherBytes) await flush()
    }
  } finally {
    // What has come is kept, also when its client is gone.
    if (gatheredBytes > 0) await flush()
    await pending
  }
}

async function writeAll(file: FileHandle, buffers: Uint8Array[], position: number): Promise<void> {
  const wanted = buffers.reduce((sum, { length }) => sum + length, 0)
  const { bytesWritten } = await file.writev(buffers, position)
  if (bytesWritten < wanted)
    await writeRest(file, Buffer.concat(buffers).subarray(bytesWritten), position + bytesWritten)
}

/** The kernel took less than it was given: the disk is nearly full, most likely. */
async function writeRest(file: FileHandle, rest: Buffer, position: number): Promise<void> {
  let done = 0
  while (done < rest.length) {
    done += (await file.write(rest, done, rest.length - done, position + done)).bytesWritten
  }
}
