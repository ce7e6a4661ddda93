import { codeOf } from '@berth/base'
import { NetlinkMessage, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, readAttributes } from '../netlink/message.ts'
import { parseAddress } from '../netlink/ip-address.ts'
import { RouteSocket } from '../netlink/route-socket.ts'
import { NETLINK_NETFILTER, NetlinkSocket, type Received } from '../netlink/socket.ts'

// include/uapi/linux/netfilter/nfnetlink.h and nfnetlink_conntrack.h
const NFNL_SUBSYS_CTNETLINK = 1
const IPCTNL_MSG_CT_GET = 1
const IPCTNL_MSG_CT_DELETE = 2
const CTA_TUPLE_ORIG = 1
const CTA_TUPLE_IP = 1
const CTA_TUPLE_PROTO = 2
const CTA_IP_V4_DST = 2
const CTA_IP_V6_DST = 4
const CTA_PROTO_NUM = 1
const CTA_PROTO_DST_PORT = 3
const CTA_FILTER = 25
const CTA_FILTER_ORIG_FLAGS = 1
// net/netfilter/nf_internals.h
const CTA_FILTER_F_CTA_PROTO_NUM = 8
const CTA_FILTER_F_CTA_PROTO_DST_PORT = 32
const families = [2, 10]
const NLA_F_NESTED = 0x8000
const IPPROTO_UDP = 17
/** struct nfgenmsg */
const generalBytes = 4

interface Flow {
  readonly family: number
  /** The first packet's addresses and ports, as the kernel writes them. */
  readonly tuple: Buffer
}

/** Their acknowledgements have to fit into the socket's buffer. */
const flowsPerBatch = 100

/**
 * Makes the kernel forget the flows of datagrams that were sent to these ports of the host, in the network namespace that the
 * thread is in: it decides by a flow's first packet what is translated, and as long as others follow. Flows of other protocols
 * begin anew by themselves. A kernel that cannot tell its flows keeps them. There may be hundreds of thousands, which pool
 * threads wait for.
 */
export async function forgetDatagrams(ports: ReadonlySet<number>, signal?: AbortSignal): Promise<void> {
  if (ports.size === 0) return
  // Opened before anything is waited for: in the namespace of the caller.
  using lister = new NetlinkSocket(NETLINK_NETFILTER, 'conntrack')
  using remover = new NetlinkSocket(NETLINK_NETFILTER, 'conntrack')
  const local = localAddresses()
  try {
    for (const query of buildQueries(ports)) {
      for await (const part of lister.parts(query, 'list flows')) {
        signal?.throwIfAborted()
        const flows = part.map(readFlow).filter((flow) => flow && ports.has(flow.port) && local.has(flow.destination))
        await forget(
          remover,
          flows.flatMap((flow) => flow ?? []),
        )
      }
    }
  } catch (error) {
    // No such subsystem.
    if (codeOf(error) !== 'EINVAL') throw error
  }
}

/** What of a flow's destination is compared. */
const keyOf = (address: Uint8Array): string => Buffer.from(address).toString('latin1')

/** Only what is sent to the host is translated by its ports. */
function localAddresses(): { has(destination: Buffer): boolean } {
  using socket = new RouteSocket()
  const own = new Set(socket.addresses().map(({ address }) => keyOf(parseAddress(address))))
  const loopbackNetwork = 127
  return {
    has: (destination) =>
      own.has(keyOf(destination)) || (destination.length === 4 && destination[0] === loopbackNetwork),
  }
}

/** The kernel itself looks for one port, in a tenth of the time in which it tells all datagrams' flows. */
const portsAskedSingly = 8

function buildQueries(ports: ReadonlySet<number>): NetlinkMessage[] {
  const asked = ports.size > portsAskedSingly ? [undefined] : [...ports]
  return families.flatMap((family) => asked.map((port) => buildQuery(port, family)))
}

/** Of all datagrams without a port. Before Linux 5.8 the kernel lists all that there is. */
function buildQuery(port: number | undefined, family: number): NetlinkMessage {
  const message = new NetlinkMessage()
  return append(message, { type: IPCTNL_MSG_CT_GET, flags: NLM_F_DUMP, family }, () => {
    message.nest(CTA_TUPLE_ORIG | NLA_F_NESTED, () => {
      message.nest(CTA_TUPLE_PROTO | NLA_F_NESTED, () => {
        message.attribute(CTA_PROTO_NUM, Buffer.of(IPPROTO_UDP))
        if (port !== undefined) message.attribute(CTA_PROTO_DST_PORT, Buffer.of(port >> 8, port & 255))
      })
    })
    message.nest(CTA_FILTER | NLA_F_NESTED, () => {
      const flags = CTA_FILTER_F_CTA_PROTO_NUM | (port === undefined ? 0 : CTA_FILTER_F_CTA_PROTO_DST_PORT)
      message.attribute(CTA_FILTER_ORIG_FLAGS, flags)
    })
  })
}

function readFlow({
  buffer,
  start,
  end,
}: Received): (Flow & { readonly port: number; readonly destination: Buffer }) | undefined {
  const tuple = readAttributes(buffer, start + generalBytes, end).get(CTA_TUPLE_ORIG)
  if (!tuple) return undefined
  const parts = readAttributes(tuple, 0, tuple.length)
  const [addresses, protocol] = [CTA_TUPLE_IP, CTA_TUPLE_PROTO].map((part) => readNested(parts.get(part)))
  const port = protocol?.get(CTA_PROTO_DST_PORT)?.readUInt16BE()
  const destination = addresses?.get(CTA_IP_V4_DST) ?? addresses?.get(CTA_IP_V6_DST)
  if (!destination || port === undefined || protocol?.get(CTA_PROTO_NUM)?.[0] !== IPPROTO_UDP) return undefined
  return { family: buffer.readUInt8(start), tuple: Buffer.from(tuple), port, destination }
}

const readNested = (attribute: Buffer | undefined): Map<number, Buffer> =>
  attribute ? readAttributes(attribute, 0, attribute.length) : new Map()

async function forget(socket: NetlinkSocket, flows: readonly Flow[]): Promise<void> {
  for (let at = 0; at < flows.length; at += flowsPerBatch) {
    const message = new NetlinkMessage()
    for (const { family, tuple } of flows.slice(at, at + flowsPerBatch)) {
      append(message, { type: IPCTNL_MSG_CT_DELETE, flags: NLM_F_ACK, family }, () =>
        message.attribute(CTA_TUPLE_ORIG | NLA_F_NESTED, tuple),
      )
    }
    try {
      await socket.requestAsync(message, 'forget flows')
    } catch (error) {
      // Some have ended by themselves; the others are forgotten all the same.
      if (codeOf(error) !== 'ENOENT') throw error
    }
  }
}

interface Head {
  readonly type: number
  readonly flags: number
  readonly family: number
}

function append(message: NetlinkMessage, { type, flags, family }: Head, body: () => void): NetlinkMessage {
  return message.message((NFNL_SUBSYS_CTNETLINK << 8) | type, NLM_F_REQUEST | flags, () => {
    message.u8(family).u8(0).u16be(0)
    body()
  })
}
