import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sandbox } from './sandbox.ts'

/** Gives the sandbox an address that is no loopback's, and names for it (in its own /etc/hosts, kept in `folder`). */
export function addNamedAddress(
  { enter }: Pick<Sandbox, 'enter'>,
  { folder, address, names }: { readonly folder: string; readonly address: string; readonly names: readonly string[] },
): void {
  const hosts = join(folder, 'hosts')
  writeFileSync(hosts, `127.0.0.1 localhost\n${names.map((name) => `${address} ${name}\n`).join('')}`)
  for (const command of [
    ['ip', 'address', 'add', `${address}/32`, 'dev', 'lo'],
    ['mount', '--bind', hosts, '/etc/hosts'],
  ]) {
    const { file, args, env } = enter(command)
    execFileSync(file, args, { env })
  }
}
