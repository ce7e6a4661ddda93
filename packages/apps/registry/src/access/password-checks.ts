import { createHmac, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { RegistryError } from '../http/errors.ts'
import type { Comparison, Verdict } from './password-worker.ts'

/** Comparisons that may wait: some seconds of the worker's time. */
const mostWaiting = 64
const mostRemembered = 1000

/** Compares passwords with bcrypt hashes in a thread, and remembers which were right. */
export class PasswordChecks implements AsyncDisposable {
  readonly #key = randomBytes(32)
  /** Of what was right; nothing can be read from it. */
  readonly #right = new Set<string>()
  readonly #waiting = new Map<number, (isRight: boolean) => void>()
  #worker: Worker | undefined
  #lastId = 0

  async isRight(user: string, password: string, hash: string): Promise<boolean> {
    const mark = createHmac('sha256', this.#key)
      .update(JSON.stringify([user, password, hash]))
      .digest('base64')
    if (this.#right.has(mark)) return true
    const isRight = await this.#compare(password, hash)
    if (isRight) this.#remember(mark)
    return isRight
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate()
  }

  #compare(password: string, hash: string): Promise<boolean> {
    if (this.#waiting.size >= mostWaiting) {
      const headers = { 'Retry-After': '5' }
      throw new RegistryError(429, 'TOOMANYREQUESTS', 'too many passwords are being checked', { headers })
    }
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const id = ++this.#lastId
    this.#waiting.set(id, resolve)
    this.#worker ??= this.#start()
    this.#worker.postMessage({ id, password, hash } satisfies Comparison)
    return promise
  }

  #start(): Worker {
    const worker = new Worker(workerFile())
    worker.unref()
    worker.on('message', ({ id, isRight }: Verdict) => {
      this.#waiting.get(id)?.(isRight)
      this.#waiting.delete(id)
    })
    worker.on('error', () => {
      this.#worker = undefined
      for (const resolve of this.#waiting.values()) resolve(false)
      this.#waiting.clear()
    })
    return worker
  }

  #remember(mark: string): void {
    const [oldest] = this.#right
    if (this.#right.size >= mostRemembered && oldest !== undefined) this.#right.delete(oldest)
    this.#right.add(mark)
  }
}

/** From sources the TypeScript beside this file; in the bundle (CommonJS) the file that the build puts beside it. */
function workerFile(): string {
  const source = import.meta.dirname && join(import.meta.dirname, 'password-worker.ts')
  return source && existsSync(source) ? source : join(__dirname, 'registry-password-worker.cjs')
}
