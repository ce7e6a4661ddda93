/** How an option's value is written on the command line and in daemon.json. */
export type OptionKind =
  | 'string'
  /** Relative ones are as of the directory that the engine is started in, which it leaves. */
  | 'path'
  /** A path, or a name without a slash, which is looked up where programs are. */
  | 'program'
  | 'boolean'
  | 'integer'
  | 'list'
  | 'map'
  | 'ulimits'
  | 'runtimes'
  | 'address-pools'
  | 'network-opts'
  | 'builder'
  | 'features'

export interface OptionSpec {
  /** The long flag, without dashes. */
  readonly flag: string
  /** The key in daemon.json; absent: the flag's name. An option `isOfFile` has no flag. */
  readonly key?: string
  /** Another key in daemon.json, for the same value or, of a list, a single one. */
  readonly alias?: string
  readonly short?: string
  readonly kind: OptionKind
  readonly isOfFile?: boolean
  readonly help: string
  /** What a `path` may be besides. */
  readonly words?: readonly string[]
  /** A SIGHUP takes a new value from daemon.json. */
  readonly isReloadable?: boolean
  /** Why Berth refuses the option; only its inert values pass. */
  readonly refusal?: { readonly reason: string; readonly inert: readonly string[] }
}

const later = (feature: string, ...inert: string[]) => ({ reason: `${feature} is not supported yet`, inert })
const never = (reason: string, ...inert: string[]) => ({ reason, inert })

/** dockerd's options: those that work, and those refused with the reason. */
export const optionSpecs: readonly OptionSpec[] = [
  { flag: 'config-file', kind: 'path', help: 'Daemon configuration file' },
  { flag: 'data-root', short: 'g', kind: 'path', help: 'Root directory of persistent state' },
  { flag: 'exec-root', kind: 'path', help: 'Root directory for execution state files' },
  { flag: 'host', key: 'hosts', short: 'H', kind: 'list', help: 'Daemon socket(s): unix:///path, tcp://host:port, fd:// or fd://3 (passed by systemd)' },
  { flag: 'group', short: 'G', kind: 'string', help: 'Group for the unix socket' },
  { flag: 'pidfile', short: 'p', kind: 'path', help: 'Path to use for daemon PID file' },
  { flag: 'debug', short: 'D', kind: 'boolean', help: 'Enable debug mode', isReloadable: true },
  { flag: 'log-level', short: 'l', kind: 'string', help: 'Logging level: debug, info, warn, error, fatal', isReloadable: true },
  { flag: 'log-format', kind: 'string', help: 'Logging format: text or json' },
  { flag: 'live-restore', kind: 'boolean', help: 'Containers always outlive the daemon; accepted', isReloadable: true },
  { flag: 'shutdown-timeout', kind: 'integer', help: 'Seconds that requests may take to end at shutdown (default 1; below 0 no limit)', isReloadable: true },
  { flag: 'label', key: 'labels', kind: 'list', help: 'Set key=value labels on the daemon', isReloadable: true },
  { flag: 'validate', kind: 'boolean', help: 'Validate the configuration and exit' },
  { flag: 'tls', kind: 'boolean', help: 'Use TLS; implied by --tlsverify' },
  { flag: 'tlsverify', kind: 'boolean', help: 'Use TLS and verify the remote' },
  { flag: 'tlscacert', kind: 'path', help: 'Trust certs signed only by this CA' },
  { flag: 'tlscert', kind: 'path', help: 'Path to TLS certificate file' },
  { flag: 'tlskey', kind: 'path', help: 'Path to TLS key file' },
  { flag: 'storage-driver', short: 's', kind: 'string', help: 'Storage driver: overlay2 or vfs' },
  { flag: 'min-free-space', kind: 'string', help: 'Refuse loads, pulls and builds below this (2g, 5%, 0 for never; default 1%, 512m at most)', isReloadable: true },
  { flag: 'exec-opt', key: 'exec-opts', kind: 'list', help: 'Runtime execution options' },
  { flag: 'default-runtime', kind: 'string', help: 'Default OCI runtime for containers', isReloadable: true },
  { flag: 'add-runtime', key: 'runtimes', kind: 'runtimes', help: 'Register an additional OCI compatible runtime', isReloadable: true },
  { flag: 'default-ulimit', key: 'default-ulimits', kind: 'ulimits', help: 'Default ulimits for containers' },
  { flag: 'default-shm-size', kind: 'string', help: 'Default shm size for containers' },
  { flag: 'default-ipc-mode', kind: 'string', help: 'Default mode for containers ipc: shareable or private' },
  { flag: 'default-cgroupns-mode', kind: 'string', help: 'Default mode for containers cgroup namespace: host or private' },
  { flag: 'cgroup-parent', kind: 'string', help: 'Set parent cgroup for all containers' },
  { flag: 'init', kind: 'boolean', help: 'Run an init in the container to forward signals and reap processes' },
  { flag: 'init-path', kind: 'program', help: 'Path to the init binary' },
  { flag: 'seccomp-profile', kind: 'path', words: ['builtin', 'unconfined'], help: 'Path to seccomp profile, or builtin or unconfined' },
  { flag: 'no-new-privileges', kind: 'boolean', help: 'Set no-new-privileges by default for new containers' },
  { flag: 'log-driver', kind: 'string', help: 'Default driver for container logs' },
  { flag: 'log-opt', key: 'log-opts', kind: 'map', help: 'Default log driver options for containers' },
  { flag: 'bridge', short: 'b', kind: 'string', help: 'Name of the default bridge' },
  { flag: 'bip', kind: 'string', help: 'IPv4 address of the default bridge, in CIDR form' },
  { flag: 'mtu', kind: 'integer', help: 'MTU of the default bridge' },
  { flag: 'dns', kind: 'list', help: 'DNS servers of containers' },
  { flag: 'dns-opt', key: 'dns-opts', kind: 'list', help: 'DNS options of containers' },
  { flag: 'dns-search', kind: 'list', help: 'DNS search domains of containers' },
  { flag: 'ip-forward', kind: 'boolean', help: 'Enable IP forwarding in the kernel (default true)' },
  { flag: 'ip-masq', kind: 'boolean', help: "Masquerade the default bridge's traffic (default true)" },
  { flag: 'registry-mirror', key: 'registry-mirrors', kind: 'list', help: 'Preferred registry mirror', isReloadable: true },
  { flag: 'insecure-registry', key: 'insecure-registries', kind: 'list', help: 'Enable insecure registry communication', isReloadable: true },
  { flag: 'registry-certs', kind: 'path', help: 'Directory of certificates for registries (default /etc/berth/certs.d)' },
  { flag: 'offline', kind: 'boolean', help: 'Ask nothing of any registry', isReloadable: true },
  { flag: 'proxies', kind: 'map', help: 'Proxies: http-proxy, https-proxy and no-proxy, as daemon.json has them' },
  { flag: 'signature-policy', kind: 'path', help: 'Policy file: which images must be signed, by which keys' },
  { flag: 'iptables', kind: 'boolean', help: 'Filter and translate IPv4 by nftables (default true); ports are relayed without' },
  { flag: 'ip6tables', kind: 'boolean', help: 'Filter and translate IPv6 by nftables (default true); ports are relayed without' },
  { flag: 'userland-proxy', kind: 'boolean', help: 'Relay published ports that the kernel cannot translate (default true)' },
  { flag: 'userland-proxy-path', kind: 'string', help: 'Path to the userland proxy', refusal: never('the relay is part of Berth', '') },
  { flag: 'allow-direct-routing', kind: 'boolean', help: "Let other hosts reach published ports at the containers' own addresses" },
  { flag: 'publish-behind-firewall', kind: 'boolean', help: "Published ports pass the host's own filter for incoming packets, as its services do" },
  { flag: 'host-gateway-ip', key: 'host-gateway-ips', alias: 'host-gateway-ip', kind: 'list', help: "What host-gateway stands for in --add-host (default the default bridge's addresses)" },
  { flag: 'ip-forward-no-drop', kind: 'boolean', help: "The host's forward policy is never changed", refusal: never('Berth never changes the policy of the host', 'true') },
  { flag: 'icc', kind: 'boolean', help: "Let the default bridge's containers talk to each other (default true)" },
  { flag: 'ip', kind: 'string', help: "Address of the default bridge's published ports (default 0.0.0.0)" },
  { flag: 'ipv6', kind: 'boolean', help: 'IPv6 on the default bridge' },
  { flag: 'bip6', kind: 'string', help: 'IPv6 address of the default bridge, in CIDR form' },
  { flag: 'fixed-cidr', kind: 'string', help: "Part of the default bridge's IPv4 subnet for containers" },
  { flag: 'fixed-cidr-v6', kind: 'string', help: "Part of the default bridge's IPv6 subnet for containers" },
  { flag: 'default-gateway', kind: 'string', help: "IPv4 gateway of the default bridge's containers" },
  { flag: 'default-gateway-v6', kind: 'string', help: "IPv6 gateway of the default bridge's containers" },
  { flag: 'default-address-pool', key: 'default-address-pools', kind: 'address-pools', help: 'Address pools of networks: base=CIDR,size=BITS' },
  { flag: 'default-network-opt', key: 'default-network-opts', kind: 'network-opts', help: 'Options of new networks: driver=option=value' },
  { flag: 'userns-remap', kind: 'string', help: 'User namespace remapping', refusal: later('user namespace remapping', '') },
  { flag: 'selinux-enabled', kind: 'boolean', help: 'SELinux support', refusal: later('SELinux', 'false') },
  { flag: 'storage-opt', key: 'storage-opts', kind: 'list', help: 'Storage driver options', refusal: later('storage options') },
  { flag: 'metrics-addr', kind: 'string', help: 'Metrics address', refusal: later('the metrics endpoint', '') },
  { flag: 'authorization-plugin', key: 'authorization-plugins', kind: 'list', help: 'Authorization plugins', refusal: later('authorization plugins') },
  { flag: 'experimental', kind: 'boolean', help: 'Tell clients that this engine is experimental: the docker CLI then knows --squash' },
  { flag: 'containerd', kind: 'string', help: 'containerd socket', refusal: never('Berth has no containerd') },
  { flag: 'oom-score-adjust', kind: 'integer', help: "The daemon's own oom_score_adj", refusal: later('the daemon’s own oom_score_adj', '0') },
  { flag: 'cpu-rt-period', kind: 'integer', help: 'Real-time CPU period', refusal: later('real-time CPU limits', '0') },
  { flag: 'cpu-rt-runtime', kind: 'integer', help: 'Real-time CPU runtime', refusal: later('real-time CPU limits', '0') },
  { flag: 'max-concurrent-downloads', kind: 'integer', help: 'Blobs of pulls under way at a time (default 3)', isReloadable: true },
  { flag: 'max-concurrent-uploads', kind: 'integer', help: 'Blobs of pushes under way at a time (default 5)', isReloadable: true },
  { flag: 'max-download-attempts', kind: 'integer', help: 'Tries of a download (default 5)', isReloadable: true },
  { flag: 'feature', key: 'features', kind: 'features', help: 'Features by name: buildkit=false has the docker CLI build by the classic interface', isReloadable: true },
  { flag: 'raw-logs', kind: 'boolean', help: 'Full timestamps without colours, the way the log is; accepted' },
  { flag: 'rootless', kind: 'boolean', help: 'Rootless mode', refusal: later('rootless mode', 'false') },
  { flag: 'cdi-spec-dir', key: 'cdi-spec-dirs', kind: 'list', help: 'Directories of CDI specifications', refusal: later('the Container Device Interface', '') },
  { flag: 'containerd-namespace', kind: 'string', help: "containerd's namespace", refusal: never('Berth has no containerd') },
  { flag: 'containerd-plugins-namespace', key: 'containerd-plugin-namespace', kind: 'string', help: "containerd's namespace of plugins", refusal: never('Berth has no containerd') },
  { flag: 'cri-containerd', kind: 'boolean', help: 'containerd with CRI', refusal: never('Berth has no containerd', 'false') },
  { flag: 'network-control-plane-mtu', kind: 'integer', help: "MTU of swarm's control plane", refusal: never('swarm is out of scope', '1500') },
  { flag: 'node-generic-resource', key: 'node-generic-resources', kind: 'list', help: "Resources of a swarm's node", refusal: never('swarm is out of scope', '') },
  { flag: 'swarm-default-advertise-addr', kind: 'string', help: "Address of a swarm's node", refusal: never('swarm is out of scope', '') },
  { flag: 'builder', kind: 'builder', isOfFile: true, help: 'What the build cache is kept within, and what builds may do', isReloadable: true },
  { flag: 'http-proxy', kind: 'string', help: 'Proxy for HTTP to registries' },
  { flag: 'https-proxy', kind: 'string', help: 'Proxy for HTTPS to registries' },
  { flag: 'no-proxy', kind: 'string', help: 'Hosts that are reached without a proxy' },
] // prettier-ignore

export const keyOf = (spec: OptionSpec): string => spec.key ?? spec.flag
