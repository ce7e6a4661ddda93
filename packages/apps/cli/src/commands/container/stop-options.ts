import { hidden, integer, string } from '../../flags/flag.ts'

const timeHelp = 'Seconds to wait before killing the container'

/** The flags of `stop` and `restart`. */
export const stopFlags = {
  signal: string('s,signal', 'Signal to send to the container'),
  timeout: integer('t,timeout', timeHelp),
  time: hidden(integer('time', timeHelp)),
}

interface Given {
  readonly flags: { readonly signal: string; readonly timeout: number; readonly time: number }
  readonly changed: (name: 'signal' | 'timeout' | 'time') => boolean
}

/** What `stopFlags` ask of the engine; `--time` is the old name of `--timeout`. */
export function stopOptions({ flags, changed }: Given): { signal: string | undefined; timeout: number | undefined } {
  if (changed('time') && changed('timeout'))
    throw new Error('conflicting options: cannot specify both --timeout and --time')
  const timeout = changed('timeout') ? flags.timeout : changed('time') ? flags.time : undefined
  return { signal: flags.signal === '' ? undefined : flags.signal, timeout }
}
