import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { LogFollow } from '../log-query.ts'

/** Where watching works, a look now and then still guards against what it may miss. */
const guardMs = 1000
const pollMs = 100

/** Tells a log's follower when to look again: by inotify on the log's directory, or by time where that fails. */
export class LogChanges implements Disposable {
  ended = false
  readonly #signal: AbortSignal
  readonly #watcher: FSWatcher | undefined
  readonly #wake = () => this.#changed()
  #dirty = false
  #waiting: (() => void) | undefined

  constructor(path: string, follow: LogFollow) {
    this.#signal = follow.signal
    this.#watcher = tryWatch(dirname(path), this.#wake)
    follow.signal.addEventListener('abort', this.#wake)
    const end = () => {
      this.ended = true
      this.#changed()
    }
    // Rejected or resolved: nothing more will be written.
    follow.ended.then(end, end)
  }

  get aborted(): boolean {
    return this.#signal.aborted
  }

  /** Resolves when something has changed since the last call, or some time has passed: `maxMs` at most. */
  async next(maxMs: number): Promise<void> {
    if (!this.#dirty && !this.ended && !this.aborted) await this.#wait(maxMs)
    this.#dirty = false
  }

  #wait(maxMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, Math.min(this.#watcher ? guardMs : pollMs, maxMs))
    this.#waiting = resolve
    return promise.finally(() => clearTimeout(timer))
  }

  #changed(): void {
    this.#dirty = true
    this.#waiting?.()
  }

  [Symbol.dispose](): void {
    this.#watcher?.close()
    this.#signal.removeEventListener('abort', this.#wake)
  }
}

/** Undefined when the directory is not there yet, or the kernel has no watch left. */
function tryWatch(directory: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, onChange)
    watcher.on('error', () => {})
    return watcher
  } catch {
    return undefined
  }
}
