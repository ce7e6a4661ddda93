import { invalid } from '@berth/base'
import type { ContainerConfig } from '@berth/engine-api'
import { cleanPath } from './clean-path.ts'
import { validateHealthcheck } from './health.ts'
import { validateExposedPorts } from './ports.ts'
import { parseSignal } from './signals.ts'

// include/uapi/linux/utsname.h: 64 bytes without the final zero.
const maxNameBytes = 64

/** Checks what holds for images and requests alike. Throws `invalid` in Docker's words; the working directory is cleaned. */
export function validateConfig(config: ContainerConfig): ContainerConfig {
  const { WorkingDir, StopSignal, Env, Hostname, Domainname, Healthcheck, ExposedPorts } = config
  if (WorkingDir !== '' && !WorkingDir.startsWith('/')) {
    throw invalid(`the working directory '${WorkingDir}' is invalid, it needs to be an absolute path`)
  }
  if (StopSignal) parseSignal(StopSignal)
  validateEnv(Env ?? [])
  validateHealthcheck(Healthcheck)
  validateExposedPorts(ExposedPorts)
  requireShort('hostname', Hostname)
  requireShort('domainname', Domainname)
  requireNoZero(config)
  return WorkingDir === '' ? config : { ...config, WorkingDir: cleanPath(WorkingDir) }
}

/** Throws `invalid` for an entry without a name. */
export function validateEnv(env: readonly string[]): void {
  for (const entry of env) {
    if (entry === '' || entry.startsWith('=')) throw invalid(`invalid environment variable: ${entry}`)
    if (entry.includes('\0')) throw invalid('invalid environment variable: it contains a zero byte')
  }
}

function requireShort(what: string, name: string): void {
  if (Buffer.byteLength(name) > maxNameBytes)
    throw invalid(`invalid ${what}: longer than ${maxNameBytes} bytes: ${name}`)
}

/** A zero byte would end the argument early. */
function requireNoZero({ Cmd, Entrypoint }: ContainerConfig): void {
  const argument = [...(Entrypoint ?? []), ...(Cmd ?? [])].find((text) => text.includes('\0'))
  if (argument !== undefined) throw invalid('invalid command: an argument contains a zero byte')
}

export const isMacAddress = (text: string): boolean => /^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i.test(text)
