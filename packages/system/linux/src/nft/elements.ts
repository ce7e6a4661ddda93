import { NetlinkMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST } from '../netlink/message.ts'
import { NETLINK_NETFILTER, NetlinkSocket } from '../netlink/socket.ts'

// include/uapi/linux/netfilter/nfnetlink.h and nf_tables.h
const NFNL_MSG_BATCH_BEGIN = 16
const NFNL_MSG_BATCH_END = 17
const NFNL_SUBSYS_NFTABLES = 10
const NFT_MSG_NEWSETELEM = 12
const NFT_MSG_DELSETELEM = 14
const NFTA_SET_ELEM_LIST_TABLE = 1
const NFTA_SET_ELEM_LIST_SET = 2
const NFTA_SET_ELEM_LIST_ELEMENTS = 3
const NFTA_LIST_ELEM = 1
const NFTA_SET_ELEM_KEY = 1
const NFTA_SET_ELEM_DATA = 2
const NFTA_DATA_VALUE = 1
const NLA_F_NESTED = 0x8000
const protocolFamilies = { inet: 1, bridge: 7 }

/** One element of a set or map. A concatenation has each part padded to 4 bytes; ports are big-endian. */
export interface NftElement {
  readonly key: Uint8Array
  /** What a map maps the key to; not needed to delete. */
  readonly data?: Uint8Array
}

export interface NftChange {
  /** `add` refuses an element that is there (EEXIST), `ensure` does not. */
  readonly change: 'add' | 'ensure' | 'delete'
  /** Of the table; default `inet`. */
  readonly family?: 'inet' | 'bridge' | undefined
  readonly set: string
  readonly elements: readonly NftElement[]
}

/** Changes sets and maps of the tables of one name by nfnetlink: 20 us, where the nft program takes 4 ms. */
export class NftElements implements Disposable {
  readonly #socket = new NetlinkSocket(NETLINK_NETFILTER, 'nf_tables')
  readonly #table: string

  constructor(table: string) {
    this.#table = table
  }

  /** By which the kernel names this sender to those who watch. */
  get portId(): number {
    return this.#socket.portId
  }

  /** All changes or none. EEXIST: an element to add is there; ENOENT: one to delete is not, or there is no such set. */
  apply(changes: readonly NftChange[]): void {
    const batch = new NetlinkMessage()
    bracket(batch, NFNL_MSG_BATCH_BEGIN)
    for (const change of changes) this.#append(batch, change)
    bracket(batch, NFNL_MSG_BATCH_END)
    this.#socket.request(batch, `nft ${changes.map(({ change, set }) => `${change} ${set}`).join(', ')}`)
  }

  #append(batch: NetlinkMessage, { change, family = 'inet', set, elements }: NftChange): void {
    const isAdd = change !== 'delete'
    const type = (NFNL_SUBSYS_NFTABLES << 8) | (isAdd ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM)
    const create = isAdd ? NLM_F_CREATE | (change === 'add' ? NLM_F_EXCL : 0) : 0
    batch.message(type, NLM_F_REQUEST | NLM_F_ACK | create, () => {
      batch.u8(protocolFamilies[family]).u8(0).u16be(0)
      batch.attribute(NFTA_SET_ELEM_LIST_TABLE, this.#table).attribute(NFTA_SET_ELEM_LIST_SET, set)
      batch.nest(NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED, () => {
        for (const element of elements) appendElement(batch, element, isAdd)
      })
    })
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]()
  }
}

/** Begin and end of a transaction: struct nfgenmsg with the subsystem as resource id. */
function bracket(batch: NetlinkMessage, type: number): void {
  batch.message(type, NLM_F_REQUEST, () => batch.u8(0).u8(0).u16be(NFNL_SUBSYS_NFTABLES))
}

function appendElement(batch: NetlinkMessage, { key, data }: NftElement, isAdd: boolean): void {
  batch.nest(NFTA_LIST_ELEM | NLA_F_NESTED, () => {
    batch.nest(NFTA_SET_ELEM_KEY | NLA_F_NESTED, () => batch.attribute(NFTA_DATA_VALUE, key))
    if (data && isAdd) batch.nest(NFTA_SET_ELEM_DATA | NLA_F_NESTED, () => batch.attribute(NFTA_DATA_VALUE, data))
  })
}
