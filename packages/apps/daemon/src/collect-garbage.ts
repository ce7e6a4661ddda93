import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options: { readonly type: 'major'; readonly execution: 'async' }) => Promise<void>

let collect: Collect | undefined

/** Has V8 collect all garbage, in a turn of the event loop of its own. */
export async function collectGarbage(): Promise<void> {
  collect ??= exposed()
  await collect({ type: 'major', execution: 'async' })
}

function exposed(): Collect {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as Collect
}
