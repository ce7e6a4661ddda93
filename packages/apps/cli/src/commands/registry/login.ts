import type { AuthConfig } from '@berth/engine-api'
import type { Cli } from '../../cli.ts'
import { between, defineCommand } from '../../command.ts'
import { credentialsOf } from '../../credentials/registry-auth.ts'
import { ask, askSecret, readSecretFromInput } from '../../credentials/prompt.ts'
import { hostnameOf, hubServer } from '../../credentials/server.ts'
import { describeFailure } from '../../errors.ts'
import { boolean, string } from '../../flags/flag.ts'

export const command = defineCommand({
  usage: '[OPTIONS] [SERVER]',
  summary: 'Authenticate to a registry',
  details: 'Defaults to Docker Hub if no server is specified.',
  count: between(0, 1),
  flags: {
    password: string('p,password', 'Password or Personal Access Token (PAT)'),
    passwordStdin: boolean('password-stdin', 'Take the Password or Personal Access Token (PAT) from stdin'),
    username: string('u,username', 'Username'),
  },
  async run(cli, { args, flags, changed }) {
    const server = serverNamed(args[0])
    if (changed('username') && flags.username === '') throw new Error('username is empty')
    if (changed('password') && flags.password === '') throw new Error('password is empty')
    const password = readPassword(cli, flags)
    const isAsked = flags.username !== '' || password !== ''
    const kept = isAsked ? undefined : await credentialsOf(cli).get(server)
    if (kept !== undefined && (await tryKept(cli, server, kept))) return
    const auth = promptMissing(cli, server, { username: flags.username, password, usual: kept?.username })
    await logIn(cli, server, auth)
  },
})

export function serverNamed(text: string | undefined): string {
  if (text === undefined || text === '' || text === 'docker.io' || text === hubServer) return hubServer
  return hostnameOf(text)
}

function readPassword(cli: Cli, flags: { password: string; passwordStdin: boolean; username: string }): string {
  if (flags.password !== '' && flags.passwordStdin) {
    throw new Error('conflicting options: cannot specify both --password and --password-stdin')
  }
  if (flags.password !== '') {
    cli.err('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n')
    return flags.password
  }
  if (!flags.passwordStdin) return ''
  if (flags.username === '') throw new Error('the --password-stdin option requires --username to be set')
  return readSecretFromInput()
}

/** False when the registry takes them no more: then the user is asked. */
async function tryKept(cli: Cli, server: string, auth: AuthConfig): Promise<boolean> {
  const name = auth.username === undefined ? '' : ` [Username: ${auth.username}]`
  cli.err(`Authenticating with existing credentials...${name}\n`)
  cli.err("\n Info -> To login with a different account, run 'berth logout' followed by 'berth login'\n\n\n")
  try {
    await logIn(cli, server, auth)
    return true
  } catch (error) {
    cli.err(`Login did not succeed, error: ${describeFailure(error)}\n`)
    return false
  }
}

interface Known {
  readonly username: string
  readonly password: string
  /** The name that the last login had. */
  readonly usual: string | undefined
}

function promptMissing(cli: Cli, server: string, { username, password, usual }: Known): AuthConfig {
  if (username !== '' && password !== '') return { username, password }
  if (!cli.isTerminal(0)) throw new Error('Error: Cannot perform an interactive login from a non TTY device')
  const name = username !== '' ? username : askName(cli, server, usual)
  const secret = password !== '' ? password : askSecret(cli, 'Password: ')
  if (secret === '') throw new Error('Error: Password Required')
  return { username: name, password: secret }
}

function askName(cli: Cli, server: string, usual: string | undefined): string {
  if (server === hubServer) {
    cli.out(
      'Log in with your Docker ID or email address to push and pull images from Docker Hub. ' +
        "If you don't have a Docker ID, head over to https://hub.docker.com/ to create one.\n\n",
    )
  }
  const name = ask(cli, usual === undefined ? 'Username: ' : `Username (${usual}): `)
  const chosen = name === '' ? usual : name
  if (chosen === undefined || chosen === '') throw new Error('Error: Non-null Username Required')
  return chosen
}

async function logIn(cli: Cli, server: string, auth: AuthConfig): Promise<void> {
  const answer = await cli.engine.registry.login({ ...auth, serveraddress: server })
  const token = answer.IdentityToken
  const kept: AuthConfig = token ? { username: auth.username, identitytoken: token } : auth
  await credentialsOf(cli).store(server, kept)
  if (answer.Status) cli.out(`${answer.Status}\n`)
}
