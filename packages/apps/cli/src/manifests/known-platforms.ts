/** What docker lets a manifest list name: https://go.dev/doc/install/source#environment, as far as images exist. */
const known: Readonly<Record<string, readonly string[]>> = {
  aix: ['ppc64'],
  android: ['386', 'amd64', 'arm', 'arm64'],
  darwin: ['amd64', 'arm64'],
  dragonfly: ['amd64'],
  freebsd: ['386', 'amd64', 'arm'],
  illumos: ['amd64'],
  ios: ['arm64'],
  js: ['wasm'],
  linux: [
    '386',
    'amd64',
    'arm',
    'arm64',
    'loong64',
    'mips',
    'mips64',
    'mips64le',
    'mipsle',
    'ppc64le',
    'riscv64',
    's390x',
  ],
  netbsd: ['386', 'amd64', 'arm'],
  openbsd: ['386', 'amd64', 'arm', 'arm64'],
  plan9: ['386', 'amd64', 'arm'],
  solaris: ['amd64'],
  wasip1: ['wasm'],
  windows: ['386', 'amd64', 'arm', 'arm64'],
}

export const isKnownPlatform = (os: string, architecture: string): boolean =>
  Object.hasOwn(known, os) && (known[os]?.includes(architecture) ?? false)
