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

/** Sends the signals that we get on to the container, until it is disposed. */
export function forwardSignals(kill: (signal: string) => Promise<void>): Disposable {
  const handler = (signal: NodeJS.Signals): void => {
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
