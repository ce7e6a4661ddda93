import { codeOf } from '@berth/base'
import { NetlinkMessage, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, readAttributes } from '../netlink/message.ts'
import { NETLINK_NETFILTER, NetlinkSocket, type Received } from '../netlink/socket.ts'

// include/uapi/linux/netfilter/nfnetlink.h and nfnetlink_conntrack.h
const NFNL_SUBSYS_CTNETLINK = 1
const IPCTNL_MSG_CT_GET = 1
const IPCTNL_MSG_CT_DELETE = 2
const CTA_TUPLE_ORIG = 1
const CTA_TUPLE_PROTO = 2
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

/**
 * Makes the kernel forget the flows of datagrams that were sent to these ports, in the network namespace that the thread is
 * in: it decides by a flow's first packet what is translated, and as long as others follow. Flows of other protocols begin
 * anew by themselves. A kernel that cannot tell its flows keeps them.
 */
export function forgetDatagrams(ports: ReadonlySet<number>): void {
  if (ports.size === 0) return
  using socket = new NetlinkSocket(NETLINK_NETFILTER, 'conntrack')
  try {
    for (const flow of flowsTo(socket, ports)) forget(socket, flow)
  } catch (error) {
    // No such subsystem.
    if (codeOf(error) !== 'EINVAL') throw error
  }
}

function flowsTo(socket: NetlinkSocket, ports: ReadonlySet<number>): Flow[] {
  const flows: Flow[] = []
  for (const family of families) {
    socket.query(buildQuery(ports, family), 'list flows', (received) => {
      const flow = readFlow(received)
      if (flow && ports.has(flow.port)) flows.push(flow)
    })
  }
  return flows
}

/** The kernel looks for one port, or for all datagrams; before Linux 5.8 it lists all that there is. */
function buildQuery(ports: ReadonlySet<number>, family: number): NetlinkMessage {
  const [port = 0] = ports
  const byPort = ports.size === 1
  const message = new NetlinkMessage()
  return append(message, { type: IPCTNL_MSG_CT_GET, flags: NLM_F_DUMP, family }, () => {
    message.nest(CTA_TUPLE_ORIG | NLA_F_NESTED, () => {
      message.nest(CTA_TUPLE_PROTO | NLA_F_NESTED, () => {
        message.attribute(CTA_PROTO_NUM, Buffer.of(IPPROTO_UDP))
        if (byPort) message.attribute(CTA_PROTO_DST_PORT, Buffer.of(port >> 8, port & 255))
      })
    })
    message.nest(CTA_FILTER | NLA_F_NESTED, () => {
      const flags = CTA_FILTER_F_CTA_PROTO_NUM | (byPort ? CTA_FILTER_F_CTA_PROTO_DST_PORT : 0)
      message.attribute(CTA_FILTER_ORIG_FLAGS, flags)
    })
  })
}

function readFlow({ buffer, start, end }: Received): (Flow & { readonly port: number }) | undefined {
  const tuple = readAttributes(buffer, start + generalBytes, end).get(CTA_TUPLE_ORIG)
  const inside = tuple && readAttributes(tuple, 0, tuple.length).get(CTA_TUPLE_PROTO)
  const protocol = inside && readAttributes(inside, 0, inside.length)
  const port = protocol?.get(CTA_PROTO_DST_PORT)?.readUInt16BE()
  if (!tuple || port === undefined || protocol?.get(CTA_PROTO_NUM)?.[0] !== IPPROTO_UDP) return undefined
  return { family: buffer.readUInt8(start), tuple: Buffer.from(tuple), port }
}

function forget(socket: NetlinkSocket, { family, tuple }: Flow): void {
  const message = new NetlinkMessage()
  append(message, { type: IPCTNL_MSG_CT_DELETE, flags: NLM_F_ACK, family }, () =>
    message.attribute(CTA_TUPLE_ORIG | NLA_F_NESTED, tuple),
  )
  try {
    socket.request(message, 'forget a flow')
  } catch (error) {
    // It has ended by itself.
    if (codeOf(error) !== 'ENOENT') throw error
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
