import { once } from 'node:events'
import type { StartRequest } from '../runtime.ts'
import { openRuntime, type OpenRuntimeOptions } from './open-runtime.ts'
import { silentLogger } from '@berth/base'

/** A process of its own for kernel tests: starts the containers that it is sent, attaches to them, and waits to be killed. */
process.once('message', (message: { options: OpenRuntimeOptions; requests: StartRequest[] }) => {
  run(message.options, message.requests).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`)
    process.exit(1)
  })
})

async function run(options: OpenRuntimeOptions, requests: readonly StartRequest[]): Promise<void> {
  const runtime = await openRuntime({ ...options, logger: silentLogger })
  for (const request of requests) {
    const stream = await runtime.attach(request, { stdin: true, stdout: true, stderr: true })
    stream.on('data', () => {})
    await runtime.start(request)
  }
  process.send?.('started')
  await once(process, 'never')
}
