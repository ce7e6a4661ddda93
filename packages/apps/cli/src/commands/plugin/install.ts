import type { PluginPrivilege, PluginSummary } from '@berth/engine-client'
import type { Cli } from '../../cli.ts'
import { atLeast, between, defineCommand, exactly } from '../../command.ts'
import { describeFailure } from '../../errors.ts'
import { boolean, string } from '../../flags/flag.ts'
import { printProgress } from '../../output/progress.ts'
import { confirm } from '../../terminal/confirm.ts'

const grantAll = boolean('grant-all-permissions', 'Grant all permissions necessary to run the plugin')
const contentTrust = boolean('disable-content-trust', 'Skip image verification (default true)', true)

export const install = defineCommand({
  usage: '[OPTIONS] PLUGIN [KEY=VALUE...]',
  summary: 'Install a plugin',
  count: atLeast(1),
  flags: {
    alias: string('alias', 'Local name for plugin'),
    disable: boolean('disable', 'Do not enable the plugin on install'),
    disableContentTrust: contentTrust,
    grantAll,
  },
  async run(cli, { args: [remote = '', ...settings], flags }) {
    refuseTrust(flags.disableContentTrust)
    const name = flags.alias === '' ? remote : flags.alias
    const privileges = await askPrivileges(cli, remote, flags.grantAll)
    if (privileges === undefined) return
    await printProgress(cli, cli.engine.plugins.pull(name, remote, privileges), 'stdout')
    if (settings.length > 0) await cli.engine.plugins.set(name, settings)
    if (!flags.disable) await cli.engine.plugins.enable(name, 0)
    cli.out(`Installed plugin ${remote}\n`)
  },
})

export const upgrade = defineCommand({
  usage: '[OPTIONS] PLUGIN [REMOTE]',
  summary: 'Upgrade an existing plugin',
  count: between(1, 2),
  flags: {
    disableContentTrust: contentTrust,
    grantAll,
    skipRemoteCheck: boolean(
      'skip-remote-check',
      'Do not check if specified remote plugin matches existing plugin image',
    ),
  },
  async run(cli, { args: [name = '', given], flags }) {
    refuseTrust(flags.disableContentTrust)
    const plugin = await inspectPlugin(cli, name)
    if (plugin.Enabled) throw new Error('the plugin must be disabled before upgrading')
    const remote = given ?? plugin.PluginReference ?? name
    if (!flags.skipRemoteCheck && repository(remote) !== repository(plugin.PluginReference ?? remote)) {
      const warning = `Plugin images do not match, are you sure?`
      if (!(await confirm(cli, warning))) return
    }
    const privileges = await askPrivileges(cli, remote, flags.grantAll)
    if (privileges === undefined) return
    await printProgress(cli, cli.engine.plugins.upgrade(name, remote, privileges), 'stdout')
    cli.out(`Upgraded plugin ${name} to ${remote}\n`)
  },
})

export const push = defineCommand({
  usage: '[OPTIONS] PLUGIN[:TAG]',
  summary: 'Push a plugin to a registry',
  count: exactly(1),
  flags: { disableContentTrust: boolean('disable-content-trust', 'Skip image signing (default true)', true) },
  async run(cli, { args, flags }) {
    refuseTrust(flags.disableContentTrust)
    await printProgress(cli, cli.engine.plugins.push(withTag(args[0] ?? '')), 'stdout')
  },
})

/** What the plugin may do, if the user agrees; undefined if not. */
async function askPrivileges(cli: Cli, remote: string, granted: boolean): Promise<PluginPrivilege[] | undefined> {
  const privileges = (await cli.engine.plugins.privileges(remote)) ?? []
  if (granted || privileges.length === 0) return privileges
  const lines = privileges.map(({ Name, Value }) => ` - ${Name}: [${(Value ?? []).join(' ')}]\n`)
  const question = `Plugin ${JSON.stringify(remote)} is requesting the following privileges:\n${lines.join('')}`
  return (await confirm(cli, `${question}Do you grant the above permissions?`)) ? privileges : undefined
}

async function inspectPlugin(cli: Cli, name: string): Promise<PluginSummary> {
  try {
    return await cli.engine.plugins.inspect(name)
  } catch (error) {
    throw new Error(`error reading plugin data: ${describeFailure(error)}`, { cause: error })
  }
}

function withTag(reference: string): string {
  return repository(reference) === reference ? `${reference}:latest` : reference
}

function repository(reference: string): string {
  return reference.replace(/(:[\w][\w.-]*)?(@.*)?$/, '')
}

function refuseTrust(disabled: boolean): void {
  if (!disabled) throw new Error('--disable-content-trust=false: content trust (Notary) is not supported')
}
