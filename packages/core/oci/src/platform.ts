import { invalid } from '@berth/base'
import type { Platform } from './image-config.ts'

const knownOs = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos'.split(
    ' ',
  ),
)
const knownArchitectures = new Set(
  (
    '386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 ' +
    'mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm'
  ).split(' '),
)

const osPattern = /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.-]*)\))?$/
const partPattern = /^[A-Za-z0-9_.-]+$/

/**
 * The platform that `os[/arch[/variant]]` or `arch` names, normalised; what is left out is this host's
 * (https://pkg.go.dev/github.com/containerd/platforms#Parse). Throws `invalid`.
 */
export function parsePlatform(specifier: string): Platform {
  const shown = JSON.stringify(specifier.slice(0, 200))
  const refuse = (why: string) => invalid(`${shown}: ${why}: invalid argument`)
  if (specifier.includes('*')) throw refuse('wildcards not yet supported')
  const [first = '', architecture, variant, ...more] = specifier.split('/')
  const os = osPattern.exec(first)
  if (!os) throw invalidPart(first, `OS component of ${shown}: OSAndVersion`, osPattern)
  const wrong = [architecture, variant, ...more].find((part) => part !== undefined && !partPattern.test(part))
  if (wrong !== undefined) throw invalidPart(wrong, `component of ${shown}: platform`, partPattern)
  if (more.length > 0) throw refuse('cannot parse platform specifier')
  const version = os[2] ? { 'os.version': os[2] } : {}
  const osName = normalizeOs(os[1] ?? '')
  if (architecture !== undefined) return { os: osName, ...asWritten(architecture, variant), ...version }
  if (knownOs.has(osName)) return { ...hostPlatform(), os: osName, ...version }
  const alone = asWritten(first, undefined)
  if (!knownArchitectures.has(alone.architecture)) throw refuse('unknown operating system or architecture')
  return { os: 'linux', ...alone }
}

function invalidPart(part: string, what: string, pattern: RegExp): Error {
  const given = JSON.stringify(part.slice(0, 200))
  const wanted = JSON.stringify(pattern.source)
  return invalid(`${given} is an invalid ${what} specifier component must match ${wanted}: invalid argument`)
}

/** A parsed specifier keeps arm64's v8 when it was written, and leaves out arm's default v7 when it was not. */
function asWritten(architecture: string, variant: string | undefined): Architecture {
  const normal = normalizeArchitecture(architecture, variant ?? '')
  if (variant === undefined && normal.architecture === 'arm' && normal.variant === 'v7') return { architecture: 'arm' }
  if (variant !== undefined && normal.architecture === 'arm64') return { ...normal, variant: normal.variant ?? 'v8' }
  return normal
}

/** The platform in canonical words: `x86_64` is amd64, `aarch64` and arm64/v8 are arm64, `armhf` and arm are arm/v7. */
export function normalizePlatform(platform: Platform): Platform {
  const { variant, ...rest } = platform
  return {
    ...rest,
    os: normalizeOs(platform.os),
    ...normalizeArchitecture(platform.architecture, variant ?? ''),
  }
}

function normalizeOs(os: string): string {
  const lower = os.toLowerCase()
  if (lower === '') return 'linux'
  return lower === 'macos' ? 'darwin' : lower
}

type Architecture = Pick<Platform, 'architecture' | 'variant'>

const archOf = (architecture: string, variant: string): Architecture =>
  variant === '' ? { architecture } : { architecture, variant }

function normalizeArchitecture(architecture: string, variant: string): Architecture {
  const lower = variant.toLowerCase()
  switch (architecture.toLowerCase()) {
    case 'i386':
      return archOf('386', '')
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return archOf('amd64', lower === 'v1' ? '' : lower)
    case 'aarch64':
    case 'arm64':
      return archOf('arm64', lower === '8' || lower === 'v8' ? '' : lower)
    case 'armhf':
      return archOf('arm', 'v7')
    case 'armel':
      return archOf('arm', 'v6')
    case 'arm':
      return archOf('arm', lower === '' ? 'v7' : lower.replace(/^[5-8]$/, 'v$&'))
    default:
      return archOf(architecture.toLowerCase(), lower)
  }
}

/** `linux/arm64/v8`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os || 'unknown', architecture, variant].filter(Boolean).join('/')
}

const architectures: Readonly<Record<string, Platform>> = {
  x64: { os: 'linux', architecture: 'amd64' },
  ia32: { os: 'linux', architecture: '386' },
  arm64: { os: 'linux', architecture: 'arm64', variant: 'v8' },
  arm: { os: 'linux', architecture: 'arm', variant: 'v7' },
  ppc64: { os: 'linux', architecture: 'ppc64le' },
  s390x: { os: 'linux', architecture: 's390x' },
  riscv64: { os: 'linux', architecture: 'riscv64' },
  loong64: { os: 'linux', architecture: 'loong64' },
}

/** What this host runs natively. */
export function hostPlatform(): Platform {
  return architectures[process.arch] ?? { os: 'linux', architecture: process.arch }
}

/** What `platform` can run, best first: arm/v7 runs v6 and v5 too, arm64 runs arm, amd64 runs 386. Normalised. */
export function platformOrder(platform: Platform): Platform[] {
  const normal = normalizePlatform(platform)
  const { os, architecture, variant } = normal
  const of = (name: string, itsVariant?: string) =>
    normalizePlatform({ os, architecture: name, ...(itsVariant && { variant: itsVariant }) })
  const level = Number(/^v(\d+)$/.exec(variant ?? '')?.[1] ?? NaN)
  switch (architecture) {
    case 'amd64':
      return [normal, ...descending(level - 1, 1).map((n) => of('amd64', `v${n}`)), of('386')]
    case 'arm':
      return [normal, ...descending(level - 1, 5).map((n) => of('arm', `v${n}`))]
    case 'arm64':
      return [normal, ...olderArm64(variant).map((v) => of('arm64', v)), ...platformOrder(of('arm', 'v8'))]
    default:
      return [normal]
  }
}

/** v9.x runs v8.(x+5), because v9.0 grew out of v8.5 (Arm ARM, A1.7). */
function olderArm64(variant: string | undefined): string[] {
  const m = /^v([89])(?:\.(\d))?$/.exec(variant ?? 'v8')
  if (!m) return []
  const minor = Number(m[2] ?? 0)
  return m[1] === '8' ? minorsBelow(8, minor) : [...minorsBelow(9, minor), ...minorsBelow(8, minor + 6)]
}

const minorsBelow = (major: number, minor: number): string[] =>
  descending(minor - 1, 0).map((n) => (n === 0 ? `v${major}` : `v${major}.${n}`))

function descending(from: number, to: number): number[] {
  return from >= to ? Array.from({ length: from - to + 1 }, (_, i) => from - i) : []
}

/** How well `have` suits `wanted`: 0 is exact, more is worse, undefined is not at all. */
export function platformRank(wanted: Platform, have: Platform): number | undefined {
  const text = formatPlatform(normalizePlatform(have))
  const rank = platformOrder(wanted).findIndex((platform) => formatPlatform(platform) === text)
  return rank < 0 ? undefined : rank
}

/**
 * Whether an image of platform `have` answers the wish for `wanted`. Many configs name no variant: one without it
 * matches every variant of its architecture.
 */
export function matchesPlatform(wanted: Platform, have: Platform): boolean {
  if (platformRank(wanted, have) !== undefined) return true
  if (have.variant) return false
  const a = normalizePlatform(wanted)
  const b = normalizePlatform(have)
  return a.os === b.os && a.architecture === b.architecture
}
