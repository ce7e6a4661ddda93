import { formatSubnet, type Subnet } from '../ipam/subnet.ts'

export const tableName = 'berth'
/** protocol . host port : container address . container port */
export const portsOnAnyAddress = 'ports_any'
/** protocol . host address . host port : container address . container port */
export const portsOnAddress = 'ports'

export interface BridgeRules {
  readonly name: string
  readonly subnet: Subnet
  readonly masquerade: boolean
}

/** A published port as the firewall has it. */
export interface PublishedPort {
  readonly protocol: 'tcp' | 'udp'
  readonly hostIp: string
  readonly hostPort: number
  readonly containerIp: string
  readonly containerPort: number
}

/**
 * The whole of the engine's one table as an nft(8) script that replaces it in one transaction. Nobody else's table is
 * touched; so a host whose own rules drop forwarded packets must let the bridge's through.
 */
export function buildRuleset(bridge: BridgeRules, ports: readonly PublishedPort[]): string {
  return `add table inet ${tableName}
delete table inet ${tableName}
table inet ${tableName} {
	map ${portsOnAnyAddress} {
		type inet_proto . inet_service : ipv4_addr . inet_service
${elements(ports.filter(({ hostIp }) => hostIp === '0.0.0.0').map(anyAddressElement))}	}
	map ${portsOnAddress} {
		type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service
${elements(ports.filter(({ hostIp }) => hostIp !== '0.0.0.0').map(oneAddressElement))}	}
${publishing}${guard(bridge)}${outbound(bridge)}${forwarding(bridge)}}
`
}

const elements = (texts: readonly string[]): string =>
  texts.length > 0 ? `\t\telements = { ${texts.join(', ')} }\n` : ''

const anyAddressElement = (port: PublishedPort): string =>
  `${port.protocol} . ${port.hostPort} : ${port.containerIp} . ${port.containerPort}`

const oneAddressElement = (port: PublishedPort): string =>
  `${port.protocol} . ${port.hostIp} . ${port.hostPort} : ${port.containerIp} . ${port.containerPort}`

// A port on 127.0.0.1 is for the host's own processes: a neighbour's packet to 127.0.0.1 must not be translated before
// the kernel's check for such addresses, hence the return in prerouting.
const publishing = `	chain published {
		dnat ip to meta l4proto . ip daddr . th dport map @${portsOnAddress}
		dnat ip to meta l4proto . th dport map @${portsOnAnyAddress}
	}
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 127.0.0.0/8 return
		meta l4proto { tcp, udp } fib daddr type local jump published
	}
	chain output {
		type nat hook output priority -100; policy accept;
		meta l4proto { tcp, udp } fib daddr type local jump published
	}
`

// route_localnet, which 127.0.0.1's ports need, would open the host's loopback to what a container forges.
const guard = ({ name }: BridgeRules): string => `	chain guard {
		type filter hook prerouting priority raw; policy accept;
		iifname "${name}" ip daddr 127.0.0.0/8 drop
		iifname "${name}" ip saddr 127.0.0.0/8 drop
	}
`

// The last two let answers find back to the host: from its loopback, and to a container on the same bridge.
const outbound = ({ name, subnet, masquerade }: BridgeRules): string => `	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
${masquerade ? `\t\tip saddr ${formatSubnet(subnet)} oifname != "${name}" masquerade\n` : ''}		oifname "${name}" ip saddr 127.0.0.0/8 masquerade
		oifname "${name}" ip saddr ${formatSubnet(subnet)} ct status dnat masquerade
	}
`

const forwarding = ({ name }: BridgeRules): string => `	chain forward {
		type filter hook forward priority filter; policy accept;
		oifname "${name}" ct state established,related accept
		iifname "${name}" accept
		oifname "${name}" ct status dnat accept
		oifname "${name}" drop
	}
`
