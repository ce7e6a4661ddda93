import { formatPlatform, hostPlatform, normalizePlatform, type Platform } from '@berth/oci'

const longest = 4096

/** What a RUN has written of a program that the kernel does not take, with what helps; undefined: it is none of that. */
export function explainExec(output: Buffer, platform: Platform): string | undefined {
  if (output.length > longest || !isForeign(platform)) return undefined
  const told = output.toString()
  return /^exec [^\n]+: exec format error\n$/.test(told) ? told + hintFor(platform) : undefined
}

const isForeign = (platform: Platform): boolean =>
  normalizePlatform(platform).architecture !== normalizePlatform(hostPlatform()).architecture

const hintFor = (platform: Platform): string =>
  `hint: programs of ${formatPlatform(normalizePlatform(platform))} do not run on this host: register an interpreter for ` +
  `them in binfmt_misc, with the flag F (on Debian, the package qemu-user-static), or begin with FROM --platform=$BUILDPLATFORM\n`
