import { ValueLimitError } from '../values/value.ts'

/** How much a bake file may make us compute: a file that somebody wrote by hand needs a thousandth of it. */
export class Budget {
  #left: number

  constructor(units = 2_000_000) {
    this.#left = units
  }

  spend(units: number): void {
    this.#left -= units
    if (this.#left < 0) throw new ValueLimitError('more work than a bake file may ask for')
  }
}
