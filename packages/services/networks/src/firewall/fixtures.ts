import { elementText, guardElements, linkElements, portElements } from './elements.ts'
import type { RulesetInput } from './build-ruleset.ts'
import type { FamilyRules, NetworkRules } from './rules.ts'

const ipv4: FamilyRules = { subnets: ['172.17.0.0/16'], gatewayMode: 'nat', masquerade: true }
const ipv6: FamilyRules = { subnets: ['fd00:1::/64'], gatewayMode: 'nat', masquerade: true }
const plain: NetworkRules = { bridge: 'berth0', ipv4, icc: true, isInternal: false }
const port = { protocol: 'tcp', hostPort: 8080, containerPort: 80, via: 'nat' } as const
const alone = (network: NetworkRules): RulesetInput => ({ networks: [network], elements: [], apiPorts: [] })

/** One of each combination of options that changes the rules, by the name of its golden file. */
export const rulesets: Readonly<Record<string, RulesetInput>> = {
  none: { networks: [], elements: [], apiPorts: [] },
  plain: alone(plain),
  'no-icc': alone({ ...plain, icc: false }),
  internal: alone({ ...plain, isInternal: true, ipv6 }),
  'internal-no-icc': alone({ ...plain, isInternal: true, icc: false }),
  isolated: alone({ bridge: 'berth0', ipv6: { ...ipv6, gatewayMode: 'isolated' }, icc: true, isInternal: true }),
  'no-masquerade': alone({ ...plain, ipv4: { ...ipv4, masquerade: false } }),
  'host-address': alone({
    ...plain,
    ipv4: { ...ipv4, hostAddress: '192.0.2.1' },
    ipv6: { ...ipv6, hostAddress: '2001:db8::1' },
  }),
  routed: alone({
    ...plain,
    ipv4: { ...ipv4, gatewayMode: 'routed' },
    ipv6: { ...ipv6, gatewayMode: 'routed' },
  }),
  unprotected: alone({ ...plain, ipv4: { ...ipv4, gatewayMode: 'nat-unprotected' } }),
  'direct-routing': alone({ ...plain, ipv6, directFrom: 'anywhere' }),
  'direct-from-links': alone({ ...plain, directFrom: ['eth0', 'wg0'] }),
  'ipv4-unmanaged': { ...alone({ ...plain, ipv6, isInternal: true }), apiPorts: [2375], unmanaged: [4] },
  'ipv6-unmanaged': { ...alone({ ...plain, ipv6 }), unmanaged: [6] },
  'both-families': alone({ ...plain, ipv6 }),
  'ipv6-only': alone({ bridge: 'berth0', ipv6, icc: true, isInternal: false }),
  'several-networks': {
    networks: [
      plain,
      { ...plain, bridge: 'br-inner', ipv4: { ...ipv4, subnets: ['172.18.0.0/16'] }, isInternal: true },
      { ...plain, bridge: 'br-quiet', ipv4: { ...ipv4, subnets: ['172.19.0.0/16'] }, icc: false },
    ],
    elements: [],
    apiPorts: [2375, 2376],
  },
  elements: {
    networks: [plain],
    apiPorts: [],
    elements: [
      ...portElements({ ...port, hostIp: '0.0.0.0', containerIp: '172.17.0.2' }),
      ...portElements({ ...port, hostIp: '127.0.0.1', containerIp: '172.17.0.2', protocol: 'udp' }),
      ...portElements({ ...port, hostIp: '::', containerIp: 'fd00:1::2', protocol: 'sctp' }),
      ...portElements({ ...port, hostIp: '2001:db8::1', containerIp: 'fd00:1::2' }),
      ...portElements({ ...port, hostIp: '::', containerIp: '172.17.0.2', via: 'relay' }),
      ...portElements({ ...port, hostIp: '0.0.0.0', containerIp: '172.17.0.3', via: 'routed' }),
      ...portElements({ ...port, hostIp: '192.0.2.1', containerIp: '172.17.0.4', isDirect: true }),
      ...guardElements({
        hostLink: 'veth1',
        mac: '02:42:ac:11:00:02',
        addresses: ['172.17.0.2', 'fd00:1::2'],
        icc: false,
      }),
      ...linkElements({ from: '172.17.0.3', to: '172.17.0.2', protocol: 'tcp', port: 80 }),
    ].map(elementText),
  },
}
