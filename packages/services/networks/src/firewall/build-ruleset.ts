import { type ElementText, type SetName, sets, tableName } from './elements.ts'
import { checkLinkName, type DirectFrom, type FamilyRules, type NetworkRules } from './rules.ts'

/** What the engine's tables are made from. */
export interface RulesetInput {
  readonly networks: readonly NetworkRules[]
  readonly elements: readonly ElementText[]
  /** TCP ports on which the engine's API serves whoever reaches them. */
  readonly apiPorts: readonly number[]
  /** Address families that others filter and translate (`--iptables=false`); default: none. */
  readonly unmanaged?: readonly (4 | 6)[] | undefined
  /** False: this kernel filters no frames of bridges; the table for them is left out. */
  readonly filtersFrames?: boolean | undefined
}

/**
 * The engine's two tables, `inet berth` and `bridge berth`, as an nft(8) script that replaces them in one transaction.
 * Nobody else's table is touched. What the engine accepts another table may still drop.
 */
export function buildRuleset(wanted: RulesetInput): string {
  const { networks, elements, apiPorts, unmanaged = [], filtersFrames = true } = wanted
  for (const { bridge, directFrom } of networks) {
    for (const name of [bridge, ...(Array.isArray(directFrom) ? directFrom : [])]) checkLinkName(name)
  }
  const bySet = Map.groupBy(elements, ({ set }) => set)
  const inet = [
    declareSets('inet', bySet),
    publishing,
    guard(networks),
    input(networks, { apiPorts, unmanaged }),
    outbound(networks.map((network) => withoutFamilies(network, unmanaged))),
    forwarding(networks, unmanaged),
  ]
  const inetTable = `table inet ${tableName} {\n${inet.join('')}}\n`
  if (!filtersFrames) return removeTable('inet') + inetTable
  return `${removeRuleset}${inetTable}table bridge ${tableName} {\n${declareSets('bridge', bySet)}${frames(networks)}}\n`
}

/** Removes a table, there or not. */
export const removeTable = (family: 'inet' | 'bridge'): string =>
  `add table ${family} ${tableName}\ndelete table ${family} ${tableName}\n`

/** Removes both. */
export const removeRuleset = removeTable('inet') + removeTable('bridge')

function declareSets(family: 'inet' | 'bridge', bySet: ReadonlyMap<SetName, readonly ElementText[]>): string {
  const names = (Object.keys(sets) as SetName[]).filter((name) => sets[name].family === family)
  return names.map((name) => declareSet(name, bySet.get(name) ?? [])).join('')
}

function declareSet(name: SetName, elements: readonly ElementText[]): string {
  const { key, data } = sets[name]
  const type = data === undefined ? key : `${key} : ${data}`
  // Fields of packets are no types.
  const keyword = key.includes('@') ? 'typeof' : 'type'
  const content = elements.length > 0 ? `\t\telements = { ${elements.map(({ text }) => text).join(', ')} }\n` : ''
  return `\t${data === undefined ? 'set' : 'map'} ${name} {\n\t\t${keyword} ${type}\n${content}\t}\n`
}

const chain = (name: string, lines: readonly string[]): string =>
  `\tchain ${name} {\n${lines.map((line) => `\t\t${line}\n`).join('')}\t}\n`

// A port on a loopback address is for the host's own processes: a neighbour's packet to 127.0.0.1 must not be translated
// before the kernel's check for such addresses, hence the returns in prerouting. From ::1 no translation leads out of the
// host: the relay serves it.
const publishing =
  chain('published', [
    'dnat ip to meta l4proto . ip daddr . th dport map @ports4',
    'dnat ip to meta l4proto . th dport map @ports4_any',
    'dnat ip6 to meta l4proto . ip6 daddr . th dport map @ports6',
    'dnat ip6 to meta l4proto . th dport map @ports6_any',
  ]) +
  chain('prerouting', [
    'type nat hook prerouting priority dstnat; policy accept;',
    'ip daddr 127.0.0.0/8 return',
    'ip6 daddr ::1 return',
    'meta l4proto { tcp, udp, sctp } fib daddr type local jump published',
  ]) +
  chain('output', [
    'type nat hook output priority -100; policy accept;',
    'ip6 daddr ::1 return',
    'meta l4proto { tcp, udp, sctp } fib daddr type local jump published',
  ])

const quotedSet = (links: readonly string[]): string => `{ ${links.map((link) => `"${link}"`).join(', ')} }`
const bridgesOf = (networks: readonly NetworkRules[]): string => quotedSet(networks.map(({ bridge }) => bridge))

/** route_localnet, which 127.0.0.1's ports need, would open the host's loopback to what a container forges. */
function guard(networks: readonly NetworkRules[]): string {
  const links = bridgesOf(networks)
  // The links last: each packet comes by here, and looking one up costs more than comparing.
  const rules = [`ip daddr 127.0.0.0/8 iifname ${links} drop`, `ip saddr 127.0.0.0/8 iifname ${links} drop`]
  return chain('guard', [
    'type filter hook prerouting priority raw; policy accept;',
    ...(networks.length > 0 ? rules : []),
  ])
}

const acceptFamilies = (families: readonly (4 | 6)[]): string[] =>
  families.map((family) => `meta nfproto ipv${family} accept`)

const withoutFamilies = (network: NetworkRules, families: readonly (4 | 6)[]): NetworkRules => ({
  ...network,
  ...(families.includes(4) ? { ipv4: undefined } : {}),
  ...(families.includes(6) ? { ipv6: undefined } : {}),
})

/** The API is no container's to reach, and an internal network reaches of the host its own gateway only, and no relay there. */
function input(
  networks: readonly NetworkRules[],
  { apiPorts, unmanaged }: { readonly apiPorts: readonly number[]; readonly unmanaged: readonly (4 | 6)[] },
): string {
  const noApi = `iifname ${bridgesOf(networks)} tcp dport { ${apiPorts.join(', ')} } drop`
  return chain('input', [
    'type filter hook input priority filter; policy accept;',
    ...(networks.length > 0 && apiPorts.length > 0 ? [noApi] : []),
    ...acceptFamilies(unmanaged),
    ...networks.filter(({ isInternal }) => isInternal).flatMap(internalInput),
  ])
}

function internalInput({ bridge, ipv4, ipv6 }: NetworkRules): string[] {
  const from = `iifname "${bridge}" fib daddr type local`
  const foreign = (family: 'ip' | 'ip6', rules: FamilyRules | undefined, others: readonly string[]) =>
    `${from} ${family} daddr != { ${[...(rules?.subnets ?? []), ...others].join(', ')} } drop`
  return [
    ...(ipv4 && ipv4.subnets.length > 0 ? [foreign('ip', ipv4, [])] : [`${from} meta nfproto ipv4 drop`]),
    foreign('ip6', ipv6, ['fe80::/10']),
    `iifname "${bridge}" meta nfproto ipv4 meta l4proto . th dport @relayed4 drop`,
    `iifname "${bridge}" meta nfproto ipv6 meta l4proto . th dport @relayed6 drop`,
  ]
}

function outbound(networks: readonly NetworkRules[]): string {
  const rules = networks.flatMap((network) => [
    ...sourceRules(network, 'ip', network.ipv4),
    ...(network.ipv4 ? [`oifname "${network.bridge}" ip saddr 127.0.0.0/8 masquerade`] : []),
    ...sourceRules(network, 'ip6', network.ipv6),
  ])
  return chain('postrouting', ['type nat hook postrouting priority srcnat; policy accept;', ...rules])
}

/** The second lets a container reach itself, or its neighbours, by their published ports: the answer must come back here. */
function sourceRules(network: NetworkRules, family: 'ip' | 'ip6', rules: FamilyRules | undefined): string[] {
  if (!rules || network.isInternal || !translates(rules)) return []
  const { bridge } = network
  const { masquerade, hostAddress } = rules
  const hide = hostAddress === undefined ? 'masquerade' : `snat ${family} to ${hostAddress}`
  return rules.subnets.flatMap((subnet) => [
    ...(masquerade ? [`${family} saddr ${subnet} oifname != "${bridge}" ${hide}`] : []),
    `oifname "${bridge}" ${family} saddr ${subnet} ct status dnat masquerade`,
  ])
}

const translates = ({ gatewayMode }: FamilyRules): boolean => gatewayMode === 'nat' || gatewayMode === 'nat-unprotected'

/**
 * Nothing leaves an internal network, be it for a published port. Packets into a network are judged by its chain; what none
 * of ours is the target of may leave.
 */
function forwarding(networks: readonly NetworkRules[], unmanaged: readonly (4 | 6)[]): string {
  const verdicts = networks.map(({ bridge }) => `"${bridge}" : jump to-${bridge}`).join(', ')
  const internal = networks.filter(({ isInternal }) => isInternal)
  const within = internal.map(({ bridge }) => `"${bridge}" . "${bridge}"`).join(', ')
  return (
    networks.map((network) => chain(`to-${network.bridge}`, inbound(network))).join('') +
    chain('forward', [
      'type filter hook forward priority filter; policy accept;',
      ...acceptFamilies(unmanaged),
      'ct state established,related accept',
      ...(internal.length > 0 ? [`iifname ${bridgesOf(internal)} iifname . oifname != { ${within} } drop`] : []),
      ...(networks.length > 0 ? [`oifname vmap { ${verdicts} }`] : []),
    ])
  )
}

function inbound({ bridge, icc, isInternal, ipv4, ipv6, directFrom = [] }: NetworkRules): string[] {
  const neighbours = icc
    ? [`iifname "${bridge}" accept`]
    : [
        `iifname "${bridge}" meta l4proto . ip saddr . ip daddr . th dport @linked accept`,
        `iifname "${bridge}" ct status dnat accept`,
        `iifname "${bridge}" drop`,
      ]
  if (isInternal) return [...neighbours, 'drop']
  return [
    ...neighbours,
    'ct status dnat accept',
    ...opened('ip', ipv4, directFrom),
    ...opened('ip6', ipv6, directFrom),
    'drop',
  ]
}

function opened(family: 'ip' | 'ip6', rules: FamilyRules | undefined, directFrom: DirectFrom): string[] {
  const published = `meta l4proto . ${family} daddr . th dport @open${family === 'ip' ? 4 : 6} accept`
  switch (rules?.gatewayMode) {
    case 'nat-unprotected':
      return [`meta nfproto ${family === 'ip' ? 'ipv4' : 'ipv6'} accept`]
    case 'routed':
      return [published, family === 'ip' ? 'meta l4proto icmp accept' : 'meta l4proto ipv6-icmp accept']
    case 'nat':
      if (directFrom === 'anywhere') return [published]
      return directFrom.length > 0 ? [`iifname ${quotedSet(directFrom)} ${published}`] : []
    default:
      return []
  }
}

// Frames from a container's link: with its own addresses only, and nothing that only a router says. The first two rules let
// nearly all pass: what comes after costs what is sent a few percent.
const owned = chain('guard', [
  'ether type ip iifname . ether saddr . ip saddr @owned4 return',
  'ether type ip6 meta l4proto != ipv6-icmp iifname . ether saddr . ip6 saddr @owned6 return',
  'iifname . ether saddr != @owned_mac drop',
  'arp saddr ip 0.0.0.0 accept',
  'ether type arp iifname . ether saddr . arp saddr ip != @owned4 drop',
  'ether type ip drop',
  'icmpv6 type { nd-router-advert, nd-redirect } drop',
  'icmpv6 type nd-neighbor-advert @th,64,16 & 0xffc0 != 0xfe80 iifname . ether saddr . @th,64,128 != @advertised6 drop',
  'ip6 saddr { fe80::/10, :: } accept',
  'ether type ip6 iifname . ether saddr . ip6 saddr != @owned6 drop',
])

const framesIn = ['type filter hook prerouting priority -300; policy accept;', 'iifname @guarded jump guard']

// The bridge passes frames between containers without asking the host, so what separates those is here too; ARP is let
// through for links. A frame to a neighbour is told by its destination before anything translates it: with br_netfilter, one
// to the host and a published port leaves the translation as one to the neighbour, and is none to be stopped. What is for
// several, or for nobody that is known, is stopped where it leaves for another link than the host's.
const separated =
  chain('separated', [
    'meta l4proto . ip saddr . ip daddr . th dport @linked_frames accept',
    'meta l4proto . ip daddr . ip saddr . th sport @linked_frames accept',
    'ether type { ip, ip6 } drop',
  ]) +
  chain('prerouting', [...framesIn, 'iifname @separate ether daddr @separate_mac jump separated']) +
  chain('forward', [
    'type filter hook forward priority 0; policy accept;',
    'iifname @separate oifname . ether daddr != @owned_mac jump separated',
  ])

const frames = (networks: readonly NetworkRules[]): string =>
  owned + (networks.every(({ icc }) => icc) ? chain('prerouting', framesIn) : separated)
