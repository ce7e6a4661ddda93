import { readAttributes, readText } from '../netlink/message.ts'
import { NETLINK_NETFILTER, NetlinkSocket } from '../netlink/socket.ts'

// include/uapi/linux/netfilter/nfnetlink.h and nf_tables.h
const NFNLGRP_NFTABLES = 7
const NFNL_SUBSYS_NFTABLES = 10
const NFT_MSG_NEWGEN = 15
/** The same attribute of tables, chains, rules, sets and elements: the name of the table. */
const NFTA_TABLE_NAME = 1
const nfgenmsgBytes = 4

export interface NftWatchOptions {
  readonly table: string
  /** Whether a change was made by whoever sends from this netlink port. */
  readonly isOwn: (portId: number) => boolean
  /** Somebody else has changed the table, or may have. */
  readonly onChange: () => void
}

/** Watches who changes the nft tables of one name in the caller's network namespace, until disposed. */
export function watchNft({ table, isOwn, onChange }: NftWatchOptions): Disposable {
  const socket = new NetlinkSocket(NETLINK_NETFILTER, 'nf_tables watch')
  const poll = socket.subscribe(NFNLGRP_NFTABLES, () => {
    let isForeign = false
    const complete = socket.drain(({ type, buffer, start, end, portId }) => {
      if (isForeign || type >> 8 !== NFNL_SUBSYS_NFTABLES || (type & 255) === NFT_MSG_NEWGEN || isOwn(portId)) return
      isForeign = readText(readAttributes(buffer, start + nfgenmsgBytes, end).get(NFTA_TABLE_NAME)) === table
    })
    if (isForeign || !complete) onChange()
  })
  poll.unref()
  return {
    [Symbol.dispose]: () => {
      poll.close()
      socket[Symbol.dispose]()
    },
  }
}
