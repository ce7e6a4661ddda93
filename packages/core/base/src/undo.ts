/**
 * Undo steps of work in several steps, run last first unless `commit()` was called.
 * Use with `await using`. A step that throws is reported and does not keep the others from running.
 */
export class Undo implements AsyncDisposable {
  #steps: { readonly what: string; readonly run: () => unknown }[] = []
  readonly #report: (what: string, error: unknown) => void

  constructor(report: (what: string, error: unknown) => void) {
    this.#report = report
  }

  defer(what: string, run: () => unknown): void {
    this.#steps.push({ what, run })
  }

  /** The work is done: nothing will be undone. */
  commit(): void {
    this.#steps = []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const steps = this.#steps.toReversed()
    this.#steps = []
    for (const { what, run } of steps) {
      try {
        await run()
      } catch (error) {
        this.#report(what, error)
      }
    }
  }
}
