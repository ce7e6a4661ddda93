import { spawn } from 'node:child_process'
import { buffer } from 'node:stream/consumers'
import { codeOf } from '@berth/base'
import type { AuthConfig } from '@berth/engine-api'

// The protocol: https://github.com/docker/docker-credential-helpers#development

/** What a helper names the user of an identity token by. */
const tokenUser = '<token>'
/** What helpers say of a server that they know nothing of. */
const notFound = 'credentials not found in native keychain'

/** A helper that is not there, or fails. */
export class HelperError extends Error {}

/** Asks `docker-credential-<name>` for a server's credentials; undefined when it has none. */
export async function getFromHelper(name: string, server: string): Promise<AuthConfig | undefined> {
  const answer = await run(name, 'get', server)
  if (answer.code !== 0) {
    if (answer.output.trim() === notFound) return undefined
    throw new HelperError(
      `error getting credentials - err: exit status ${answer.code}, out: \`${answer.output.trim()}\``,
    )
  }
  const { Username: username, Secret: secret } = parse(name, answer.output)
  if (username === tokenUser) return { serveraddress: server, identitytoken: secret }
  return { serveraddress: server, username, password: secret }
}

export async function storeInHelper(name: string, server: string, auth: AuthConfig): Promise<void> {
  const isToken = auth.identitytoken !== undefined && auth.identitytoken !== ''
  const document = {
    ServerURL: server,
    Username: isToken ? tokenUser : (auth.username ?? ''),
    Secret: isToken ? auth.identitytoken : (auth.password ?? ''),
  }
  const { code, output } = await run(name, 'store', JSON.stringify(document))
  if (code !== 0)
    throw new HelperError(`error storing credentials - err: exit status ${code}, out: \`${output.trim()}\``)
}

/** False when it had none. */
export async function eraseFromHelper(name: string, server: string): Promise<boolean> {
  const { code, output } = await run(name, 'erase', server)
  if (code === 0) return true
  if (output.trim() === notFound) return false
  throw new HelperError(`error erasing credentials - err: exit status ${code}, out: \`${output.trim()}\``)
}

function parse(name: string, output: string): { Username: string; Secret: string } {
  try {
    const { Username, Secret } = JSON.parse(output) as Record<string, unknown>
    if (typeof Username === 'string' && typeof Secret === 'string') return { Username, Secret }
  } catch {
    // What it printed may be a secret.
  }
  throw new HelperError(`error getting credentials - docker-credential-${name} printed no credentials`)
}

const doing = { get: 'getting', store: 'storing', erase: 'erasing' } as const

/** Secrets go by standard input: arguments are everybody's to read. */
async function run(name: string, verb: keyof typeof doing, input: string): Promise<{ code: number; output: string }> {
  if (!/^[\w.+-]+$/.test(name)) throw new HelperError(`invalid name of a credential helper: ${JSON.stringify(name)}`)
  const program = `docker-credential-${name}`
  const child = spawn(program, [verb], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = Promise.withResolvers<number>()
  child.on('error', (error) => {
    const isAbsent = codeOf(error) === 'ENOENT'
    const why = isAbsent ? `exec: "${program}": executable file not found in $PATH` : error.message
    ended.reject(new HelperError(`error ${doing[verb]} credentials - err: ${why}, out: \`\``))
  })
  child.on('close', (code) => ended.resolve(code ?? 1))
  // One that ends before it has read all breaks the pipe.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code, output] = await Promise.all([ended.promise, buffer(child.stdout)])
  return { code, output: output.toString() }
}
