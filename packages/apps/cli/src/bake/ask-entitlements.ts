import type { Target } from '@berth/bake'
import type { Cli } from '../cli.ts'
import { StatusError } from '../errors.ts'
import { confirm } from '../terminal/confirm.ts'
import { checksFiles, type Entitlements, missingEntitlements } from './entitlements.ts'

/** Throws unless the user grants what targets ask for; `words` are those after `bake`. */
export async function askEntitlements(
  cli: Cli,
  targets: Iterable<Target>,
  { granted, words }: { readonly granted: Entitlements; readonly words: readonly string[] },
): Promise<void> {
  const isFsChecked = checksFiles(cli.env)
  const missing = missingEntitlements(targets, granted, isFsChecked)
  if (missing.length === 0) return
  const allow = missing.map(({ flag }) => `--allow=${flag}`).join(' ')
  const list = missing.map(({ told }) => ` - ${told}\n`).join('')
  const isAsked = cli.isTerminal(0)
  const advice = isAsked
    ? `\nIn order to not see this message in the future pass ${JSON.stringify(allow)} to grant requested privileges.\n`
    : `\nPass ${JSON.stringify(allow)} to grant requested privileges.\n`
  cli.err(
    `Your build is requesting privileges for following possibly insecure capabilities:\n\n${list}${advice}` +
      `\nYour full command with requested privileges:\n\n${cli.commandPath} ${allow} ${words.join(' ')}\n\n`,
  )
  if (missing.some(({ flag }) => flag.startsWith('fs'))) {
    cli.err('To disable filesystem entitlements checks, you can set BUILDX_BAKE_ENTITLEMENTS_FS=0 .\n\n')
  }
  if (isAsked && (await confirm(cli, 'Do you want to grant requested privileges and continue?'))) return
  throw new StatusError(1, 'ERROR: additional privileges requested')
}
