import { formatPlatform, hostPlatform, normalizePlatform, type Platform } from '@berth/oci'

/** How runc ends when the kernel does not take a program. */
export const execFailedCode = 255

/** What a RUN has written, where that is crun's own record of a program that the kernel does not take. */
const record = /^\{"msg":"exec container process `(?<path>[^`"\\]+)`: (?<reason>[^"\\]+)","level":"error"[^}\n]*\}\n?$/

/** The same in runc's words, with what helps where the program is of another machine; undefined: it is none of that. */
export function explainExec(output: Buffer, platform: Platform): string | undefined {
  if (output.length > 4096 || output[0] !== 0x7b) return undefined
  const { path, reason } = record.exec(output.toString())?.groups ?? {}
  if (path === undefined || reason === undefined) return undefined
  const told = `exec ${path}: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}\n`
  return /^exec format error$/i.test(reason) && isForeign(platform) ? told + hintFor(platform) : told
}

const isForeign = (platform: Platform): boolean =>
  normalizePlatform(platform).architecture !== normalizePlatform(hostPlatform()).architecture

const hintFor = (platform: Platform): string =>
  `hint: programs of ${formatPlatform(normalizePlatform(platform))} do not run on this host: register an interpreter for ` +
  `them in binfmt_misc, with the flag F (on Debian, the package qemu-user-static), or begin with FROM --platform=$BUILDPLATFORM\n`
