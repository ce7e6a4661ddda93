import { isIPv4 } from 'node:net'
import { codeOf } from '@berth/base'
import { NetlinkMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST } from '../netlink/message.ts'
import { parseAddress } from '../netlink/ip-address.ts'
import { NETLINK_NETFILTER, NetlinkSocket } from '../netlink/socket.ts'

// include/uapi/linux/netfilter/nfnetlink.h and nf_tables.h
const NFNL_MSG_BATCH_BEGIN = 16
const NFNL_MSG_BATCH_END = 17
const NFNL_SUBSYS_NFTABLES = 10
const NFT_MSG_NEWTABLE = 0
const NFT_MSG_DELTABLE = 2
const NFT_MSG_NEWCHAIN = 3
const NFT_MSG_NEWRULE = 6
const NLM_F_APPEND = 0x800
const NLA_F_NESTED = 0x8000
const NFPROTO_IPV4 = 2
const NF_INET_LOCAL_OUT = 3
const dstnatPriority = -100
const NFTA_TABLE_NAME = 1
const NFTA_CHAIN = { table: 1, name: 3, hook: 4, type: 7 }
const NFTA_HOOK = { number: 1, priority: 2 }
const NFTA_RULE = { table: 1, chain: 2, expressions: 4 }
const NFTA_LIST_ELEM = 1
const NFTA_EXPR = { name: 1, data: 2 }
const NFTA_DATA_VALUE = 1
const NFTA_PAYLOAD = { register: 1, base: 2, offset: 3, length: 4 }
const NFTA_META = { register: 1, key: 2 }
const NFTA_CMP = { register: 1, operation: 2, data: 3 }
const NFTA_IMMEDIATE = { register: 1, data: 2 }
const NFTA_NAT = { type: 1, family: 2, addressMin: 3, addressMax: 4, portMin: 5, portMax: 6 }
const NFT_META_L4PROTO = 16
const NFT_NAT_DNAT = 1
const networkHeader = 1
const transportHeader = 2
const destinationAddressOffset = 16
const destinationPortOffset = 2
const register1 = 1
const register2 = 2
const chainName = 'output'

export interface RedirectedPort {
  readonly table: string
  /** IPv4: what the processes of a namespace send to it is sent on to other ports of it. */
  readonly address: string
  readonly port: number
}

export interface RedirectTargets {
  readonly udp: number
  readonly tcp: number
}

/** Redirects an address's port in one network namespace after the other: only the ports that it goes to differ. */
export class LocalRedirect {
  readonly #from: RedirectedPort
  readonly #batch: RedirectBatch

  constructor(from: RedirectedPort) {
    if (!isIPv4(from.address)) throw new Error(`not an IPv4 address: ${from.address}`)
    this.#from = from
    this.#batch = buildRedirect(from, [NFT_MSG_NEWTABLE])
  }

  /** In the namespace that the thread is in, replacing the table. One transaction, no program. */
  apply(to: RedirectTargets): void {
    const { address, port } = this.#from
    using socket = new NetlinkSocket(NETLINK_NETFILTER, 'nf_tables')
    const request = (batch: RedirectBatch) => socket.request(redirectTo(batch, to), `redirect ${address}:${port}`)
    try {
      request(this.#batch)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      // Not at once: a transaction that deletes waits for a grace period, 10 ms and more.
      request(buildRedirect(this.#from, [NFT_MSG_DELTABLE, NFT_MSG_NEWTABLE]))
    }
  }
}

/** With places for the ports that it goes to. */
interface RedirectBatch {
  readonly message: NetlinkMessage
  readonly udpAt: number
  readonly tcpAt: number
}

function redirectTo({ message, udpAt, tcpAt }: RedirectBatch, { udp, tcp }: RedirectTargets): NetlinkMessage {
  message.bytes.writeUInt16BE(udp, udpAt)
  message.bytes.writeUInt16BE(tcp, tcpAt)
  return message
}

function buildRedirect(from: RedirectedPort, tableChanges: readonly number[]): RedirectBatch {
  const batch = new NetlinkMessage()
  bracket(batch, NFNL_MSG_BATCH_BEGIN)
  const { table } = from
  for (const type of tableChanges) append(batch, type, () => batch.attribute(NFTA_TABLE_NAME, table))
  append(batch, NFT_MSG_NEWCHAIN, () => appendChain(batch, table))
  const [udpAt, tcpAt] = [appendRule(batch, from, 17), appendRule(batch, from, 6)]
  bracket(batch, NFNL_MSG_BATCH_END)
  return { message: batch, udpAt, tcpAt }
}

function bracket(batch: NetlinkMessage, type: number): void {
  batch.message(type, NLM_F_REQUEST, () => batch.u8(0).u8(0).u16be(NFNL_SUBSYS_NFTABLES))
}

const creation: Readonly<Record<number, number>> = {
  [NFT_MSG_NEWTABLE]: NLM_F_CREATE | NLM_F_EXCL,
  [NFT_MSG_NEWCHAIN]: NLM_F_CREATE,
  [NFT_MSG_NEWRULE]: NLM_F_CREATE | NLM_F_APPEND,
}

function append(batch: NetlinkMessage, type: number, body: () => void): void {
  const create = creation[type] ?? 0
  batch.message((NFNL_SUBSYS_NFTABLES << 8) | type, NLM_F_REQUEST | NLM_F_ACK | create, () => {
    batch.u8(NFPROTO_IPV4).u8(0).u16be(0)
    body()
  })
}

/** A number as netfilter has it: big-endian. */
function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const portBytes = (port: number): Buffer => Buffer.of(port >> 8, port & 255)

function appendChain(batch: NetlinkMessage, table: string): void {
  batch.attribute(NFTA_CHAIN.table, table).attribute(NFTA_CHAIN.name, chainName)
  batch.nest(NFTA_CHAIN.hook | NLA_F_NESTED, () => {
    batch.attribute(NFTA_HOOK.number, number(NF_INET_LOCAL_OUT))
    batch.attribute(NFTA_HOOK.priority, number(dstnatPriority))
  })
  batch.attribute(NFTA_CHAIN.type, 'nat')
}

/** Returns where the port that it goes to is in the batch. */
function appendRule(batch: NetlinkMessage, { table, address, port }: RedirectedPort, protocol: number): number {
  let portAt = 0
  append(batch, NFT_MSG_NEWRULE, () => {
    batch.attribute(NFTA_RULE.table, table).attribute(NFTA_RULE.chain, chainName)
    batch.nest(NFTA_RULE.expressions | NLA_F_NESTED, () => {
      payload(batch, { base: networkHeader, offset: destinationAddressOffset, length: 4 })
      compare(batch, parseAddress(address))
      expression(batch, 'meta', () => {
        batch.attribute(NFTA_META.key, number(NFT_META_L4PROTO)).attribute(NFTA_META.register, number(register1))
      })
      compare(batch, Buffer.of(protocol))
      payload(batch, { base: transportHeader, offset: destinationPortOffset, length: 2 })
      compare(batch, portBytes(port))
      immediate(batch, register1, parseAddress(address))
      immediate(batch, register2, portBytes(0))
      // The last that was written, with its padding.
      portAt = batch.bytes.length - 4
      translate(batch)
    })
  })
  return portAt
}

function expression(batch: NetlinkMessage, name: string, body: () => void): void {
  batch.nest(NFTA_LIST_ELEM | NLA_F_NESTED, () => {
    batch.attribute(NFTA_EXPR.name, name).nest(NFTA_EXPR.data | NLA_F_NESTED, body)
  })
}

interface PayloadRange {
  readonly base: number
  readonly offset: number
  readonly length: number
}

function payload(batch: NetlinkMessage, { base, offset, length }: PayloadRange): void {
  expression(batch, 'payload', () => {
    batch.attribute(NFTA_PAYLOAD.register, number(register1)).attribute(NFTA_PAYLOAD.base, number(base))
    batch.attribute(NFTA_PAYLOAD.offset, number(offset)).attribute(NFTA_PAYLOAD.length, number(length))
  })
}

function compare(batch: NetlinkMessage, bytes: Uint8Array): void {
  expression(batch, 'cmp', () => {
    batch.attribute(NFTA_CMP.register, number(register1)).attribute(NFTA_CMP.operation, number(0))
    batch.nest(NFTA_CMP.data | NLA_F_NESTED, () => batch.attribute(NFTA_DATA_VALUE, bytes))
  })
}

function immediate(batch: NetlinkMessage, register: number, bytes: Uint8Array): void {
  expression(batch, 'immediate', () => {
    batch.attribute(NFTA_IMMEDIATE.register, number(register))
    batch.nest(NFTA_IMMEDIATE.data | NLA_F_NESTED, () => batch.attribute(NFTA_DATA_VALUE, bytes))
  })
}

function translate(batch: NetlinkMessage): void {
  expression(batch, 'nat', () => {
    batch.attribute(NFTA_NAT.type, number(NFT_NAT_DNAT)).attribute(NFTA_NAT.family, number(NFPROTO_IPV4))
    for (const type of [NFTA_NAT.addressMin, NFTA_NAT.addressMax]) batch.attribute(type, number(register1))
    for (const type of [NFTA_NAT.portMin, NFTA_NAT.portMax]) batch.attribute(type, number(register2))
  })
}
