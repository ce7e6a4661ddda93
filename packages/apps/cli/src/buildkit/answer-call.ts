import type { Cli } from '../cli.ts'
import type { CallSpec } from './build-request.ts'

/** Prints what the frontend answers to `--call`; resolves to the exit code. */
export function answerCall(cli: Cli, call: CallSpec, metadata: Readonly<Record<string, Uint8Array>>): number {
  const text = (name: string): string => Buffer.from(metadata[name] ?? new Uint8Array()).toString()
  cli.out(call.format === 'json' ? `${text('result.json')}\n` : text('result.txt'))
  return call.ignoresStatus ? 0 : Number(text('result.statuscode') || '0')
}
