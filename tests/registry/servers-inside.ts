import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Sandbox, until } from '@berth/testing'

/** Small servers that run in a sandbox, where the test's own process has no address. */
export class ServersInside implements AsyncDisposable {
  readonly #children: ChildProcess[] = []

  /** Runs a module's source that prints `listening`; what it prints after that is in the returned list. */
  async start({ enter }: Pick<Sandbox, 'enter'>, source: string): Promise<string[]> {
    const lines: string[] = []
    const { file, args, env } = enter([process.execPath, '--no-warnings', '--input-type=module', '-e', source])
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    this.#children.push(child)
    child.stdout.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trim().split('\n')))
    await until(() => lines.includes('listening'))
    lines.length = 0
    return lines
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}

const proxyModule = new URL('../../testing/src/registry/forward-proxy.ts', import.meta.url).href

/** Source of a proxy that forwards plain HTTP and makes tunnels, and prints for whom. */
export const proxySource = (options: { address: string; port: number; credentials?: string }): string =>
  `const { startForwardProxy } = await import(${JSON.stringify(proxyModule)})
   await startForwardProxy({ ...${JSON.stringify(options)}, onRequest: (line) => console.log(line) })
   console.log('listening')`

/** Source of a server that answers with `answer`, an expression of `request` and `response`. */
export const serverSource = ({ address, port }: { address: string; port: number }, answer: string): string =>
  `const { createServer } = await import('node:http')
   createServer((request, response) => { ${answer} }).listen(${port}, '${address}', () => console.log('listening'))`
