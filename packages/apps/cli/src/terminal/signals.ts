import { writeAll } from '../output/write.ts'

const forwarded: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGCONT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGWINCH',
]

/** So many of those that end a program end us, whatever the container makes of them. */
const patience = 3

/**
 * Sends the signals that we get on to the container, until it is disposed. Who sends SIGINT or SIGTERM a third time is
 * tired of waiting: we leave the container to itself and exit with 1, as docker does.
 */
export function forwardSignals(kill: (signal: string) => Promise<void>): Disposable {
  let endings = 0
  const handler = (signal: NodeJS.Signals): void => {
    if ((signal === 'SIGINT' || signal === 'SIGTERM') && ++endings === patience) {
      writeAll(2, `\ngot ${patience} SIGTERM/SIGINTs, forcefully exiting\n`)
      process.exit(1)
    }
    // The container may have just ended.
    kill(signal.replace('SIG', '')).catch(() => undefined)
  }
  for (const signal of forwarded) process.on(signal, handler)
  return {
    [Symbol.dispose]() {
      for (const signal of forwarded) process.off(signal, handler)
    },
  }
}
