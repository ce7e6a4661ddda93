// Compares passwords with their hashes, which takes tens of milliseconds each, off the event loop.
import { compareSync } from 'bcryptjs'
import { parentPort } from 'node:worker_threads'

export interface Comparison {
  readonly id: number
  readonly password: string
  readonly hash: string
}

export interface Verdict {
  readonly id: number
  readonly isRight: boolean
}

parentPort?.on('message', ({ id, password, hash }: Comparison) => {
  parentPort?.postMessage({ id, isRight: compareSync(password, hash) } satisfies Verdict)
})
