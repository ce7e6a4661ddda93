import type { Cli } from '../cli.ts'
import { atLeast, defineCommand, exactly } from '../command.ts'
import { StatusError } from '../errors.ts'
import { boolean, list, string } from '../flags/flag.ts'

/** Notary, which docker's content trust is made of, has been given up by those who made it. */
async function refuse(cli: Cli): Promise<never> {
  throw new StatusError(
    1,
    `${cli.commandPath}: content trust (Notary) is not supported\n\n` +
      'Sign images with cosign or notation, and pull them by digest',
  )
}

export const inspect = defineCommand({
  usage: 'IMAGE[:TAG] [IMAGE[:TAG]...]',
  summary: 'Return low-level information about keys and signatures',
  count: atLeast(1),
  flags: { pretty: boolean('pretty', 'Print the information in a human friendly format') },
  run: refuse,
})

export const revoke = defineCommand({
  usage: '[OPTIONS] IMAGE[:TAG]',
  summary: 'Remove trust for an image',
  count: exactly(1),
  flags: { yes: boolean('y,yes', 'Do not prompt for confirmation') },
  run: refuse,
})

export const sign = defineCommand({
  usage: 'IMAGE:TAG',
  summary: 'Sign an image',
  count: exactly(1),
  flags: { local: boolean('local', 'Sign a locally tagged image') },
  run: refuse,
})

export const generate = defineCommand({
  usage: 'NAME',
  summary: 'Generate and load a signing key-pair',
  count: exactly(1),
  flags: { dir: string('dir', 'Directory to generate key in, defaults to current directory') },
  run: refuse,
})

export const load = defineCommand({
  usage: '[OPTIONS] KEYFILE',
  summary: 'Load a private key file for signing',
  count: exactly(1),
  flags: { name: string('name', 'Name for the loaded key (default "signer")', 'signer') },
  run: refuse,
})

export const add = defineCommand({
  usage: 'OPTIONS NAME REPOSITORY [REPOSITORY...]',
  summary: 'Add a signer',
  count: atLeast(2),
  flags: { key: list('key', "Path to the signer's public key file") },
  run: refuse,
})

export const remove = defineCommand({
  usage: '[OPTIONS] NAME REPOSITORY [REPOSITORY...]',
  summary: 'Remove a signer',
  count: atLeast(2),
  flags: { force: boolean('f,force', 'Do not prompt for confirmation before removing the most recent signer') },
  run: refuse,
})
