import { encodeFrame, FrameDecoder } from '@berth/engine-api'
import { Transform } from 'node:stream'

/**
 * What stands between an exec's output and a client that named another terminal at the start than the exec was made
 * with: frames are what the start says. Undefined where both agree.
 */
export function reframe(execTty: boolean, startTty: boolean): Transform | undefined {
  if (execTty === startTty) return undefined
  return startTty ? unframed() : framed()
}

const framed = (): Transform =>
  new Transform({ transform: (chunk: Buffer, _encoding, done) => done(null, encodeFrame(1, chunk)) })

function unframed(): Transform {
  const decoder = new FrameDecoder()
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, payloadOf(decoder, chunk))
    },
  })
}

/** Why an exec could not run is told without frames already. */
function payloadOf(decoder: FrameDecoder, chunk: Buffer): Buffer {
  try {
    return Buffer.concat(decoder.push(chunk).map(({ payload }) => payload))
  } catch {
    return chunk
  }
}
