/** What a name on the command line stands for. */
export type NameKind =
  | 'container'
  | 'running container'
  | 'stopped container'
  | 'paused container'
  | 'image'
  | 'network'
  | 'volume'
  | 'context'
  | 'plugin'
  | 'bake target'
  | 'build record'
  | 'object'

/** Values that are always the same. */
type Words = readonly string[]

const pullPolicies: Words = ['always', 'missing', 'never']
const restartPolicies: Words = ['no', 'always', 'on-failure', 'unless-stopped']
const logDrivers: Words = ['json-file', 'local', 'none']
const signals: Words = ['HUP', 'INT', 'QUIT', 'KILL', 'TERM', 'STOP', 'CONT', 'USR1', 'USR2', 'WINCH']
const capabilities: Words = [
  'ALL',
  'AUDIT_CONTROL',
  'AUDIT_READ',
  'AUDIT_WRITE',
  'BLOCK_SUSPEND',
  'BPF',
  'CHECKPOINT_RESTORE',
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'IPC_LOCK',
  'IPC_OWNER',
  'KILL',
  'LEASE',
  'LINUX_IMMUTABLE',
  'MAC_ADMIN',
  'MAC_OVERRIDE',
  'MKNOD',
  'NET_ADMIN',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_RAW',
  'PERFMON',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYSLOG',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_CHROOT',
  'SYS_MODULE',
  'SYS_NICE',
  'SYS_PACCT',
  'SYS_PTRACE',
  'SYS_RAWIO',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'WAKE_ALARM',
]

const flagKinds: Readonly<Record<string, NameKind | 'file' | Words>> = {
  allow: ['network.host', 'security.insecure'],
  attach: ['stdin', 'stdout', 'stderr'],
  call: ['build', 'check', 'outline', 'targets'],
  'cap-add': capabilities,
  'cap-drop': capabilities,
  cgroupns: ['host', 'private'],
  cidfile: 'file',
  context: 'context',
  device: 'file',
  'env-file': 'file',
  file: 'file',
  format: ['json', 'table'],
  from: 'context',
  iidfile: 'file',
  input: 'file',
  ipc: ['host', 'none', 'private', 'shareable'],
  'label-file': 'file',
  link: 'container',
  'log-driver': logDrivers,
  'log-level': ['debug', 'info', 'warn', 'error', 'fatal'],
  'metadata-file': 'file',
  network: 'network',
  output: 'file',
  pid: ['host'],
  progress: ['auto', 'none', 'plain', 'quiet', 'rawjson', 'tty'],
  pull: pullPolicies,
  restart: restartPolicies,
  signal: signals,
  'stop-signal': signals,
  tlscacert: 'file',
  tlscert: 'file',
  tlskey: 'file',
  type: ['container', 'image', 'network', 'plugin', 'volume'],
  userns: ['host'],
  uts: ['host'],
  volume: 'volume',
  'volumes-from': 'container',
}

/** What the value of a flag is; undefined if nobody can know. */
export function flagKind(name: string): NameKind | 'file' | Words | undefined {
  return Object.hasOwn(flagKinds, name) ? flagKinds[name] : undefined
}

/** Commands that only some containers are fit for. */
const containerKinds: Readonly<Record<string, NameKind>> = {
  attach: 'running container',
  exec: 'running container',
  kill: 'running container',
  pause: 'running container',
  port: 'running container',
  start: 'stopped container',
  stats: 'running container',
  stop: 'running container',
  top: 'running container',
  unpause: 'paused container',
  wait: 'running container',
}

const placeholders: readonly [pattern: RegExp, kind: NameKind | 'file'][] = [
  [/^CONTAINER(:SRC_PATH)?$/, 'container'],
  [/^(IMAGE|SOURCE_IMAGE\[:TAG\]|NAME\[:TAG\|@DIGEST\]|NAME\[:TAG\]|REPOSITORY\[:TAG\])$/, 'image'],
  [/^NETWORK$/, 'network'],
  [/^VOLUME$/, 'volume'],
  [/^CONTEXT$/, 'context'],
  [/^PLUGIN(\[:TAG\])?$/, 'plugin'],
  [/^TARGET$/, 'bake target'],
  [/^REF$/, 'build record'],
  [/^NAME\|ID$/, 'object'],
  [/^(FILE\|-|file\|URL\|-|PATH|PLUGIN-DATA-DIR|KEYFILE)$/, 'file'],
]

/** What the argument at an index is, by the usage line of the command. */
export function argumentKind(path: string, usage: string, index: number): NameKind | 'file' | undefined {
  const words = usage.split(' ').filter((word) => word !== '[OPTIONS]' && word !== '|')
  const repeated = words.at(-1)?.includes('...') === true
  const at = repeated ? Math.min(index, words.length - 1) : index
  const word = (words[at] ?? '').replace(/^\[(.*)\]$/, '$1').replace(/\.\.\.$/, '')
  const kind = placeholders.find(([pattern]) => pattern.test(word))?.[1]
  const last = path.split(' ').at(-1) ?? ''
  return kind === 'container' && Object.hasOwn(containerKinds, last) ? containerKinds[last] : kind
}
