import type { PendingWait } from '@berth/engine-client'
import type { Cli } from '../cli.ts'

/** Without a word from the engine on how the container ended. */
const unknownExitCode = 125

/** The exit code that a wait ends with. */
export async function exitCodeOf(cli: Cli, wait: PendingWait): Promise<number> {
  try {
    const { StatusCode, Error: failure } = await wait.result
    if (failure?.Message === undefined || failure.Message === '') return StatusCode
    cli.err(`Error waiting for container: ${failure.Message}\n`)
  } catch (error) {
    cli.err(`Error waiting for container: ${String(error)}\n`)
  }
  return unknownExitCode
}
