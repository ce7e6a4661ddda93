import { number, string } from '../values/types.ts'
import { listValue, stringValue, textOf, type Value } from '../values/value.ts'
import { ArgumentFailure, CallFailure, define, type FunctionSpec, parameter } from './function.ts'
import { formatAddress, parsePrefix, type Prefix } from './ip-prefix.ts'
import { wholeNumber } from './whole-number.ts'

function prefixOf(value: Value): Prefix {
  const text = textOf(value)
  const prefix = parsePrefix(text)
  if (prefix === undefined) throw new CallFailure(`invalid CIDR expression: invalid CIDR address: ${text}`)
  return prefix
}

const cidrhost = define([parameter('prefix', string), parameter('hostnum', number)], ([network, host]) => {
  const { base, length, bits } = prefixOf(network!)
  const given = BigInt(wholeNumber(host!))
  const room = 1n << BigInt(bits - length)
  if (given >= room || given < -room) {
    throw new CallFailure(`prefix of ${length} does not accommodate a host numbered ${given}`)
  }
  return stringValue(formatAddress(base + (given < 0n ? room + given : given), bits))
})

const cidrnetmask = define([parameter('prefix', string)], ([network]) => {
  const { length, bits } = prefixOf(network!)
  const all = (1n << BigInt(bits)) - 1n
  return stringValue(formatAddress(all ^ (all >> BigInt(length)), bits))
})

/** The subnet with that number, of so many more bits. */
function subnet({ base, length, bits }: Prefix, newBits: number, at: bigint): Prefix {
  const longer = length + newBits
  if (longer > bits) throw new CallFailure(`insufficient address space to extend prefix of ${length} by ${newBits}`)
  if (at < 0n || at >= 1n << BigInt(newBits)) {
    throw new CallFailure(`prefix extension of ${newBits} does not accommodate a subnet numbered ${at}`)
  }
  return { base: base + (at << BigInt(bits - longer)), length: longer, bits }
}

const formatPrefix = ({ base, length, bits }: Prefix): Value => stringValue(`${formatAddress(base, bits)}/${length}`)

const cidrsubnet = define(
  [parameter('prefix', string), parameter('newbits', number), parameter('netnum', number)],
  ([network, newBits, netNumber]) => {
    const at = BigInt(wholeNumber(netNumber!))
    return formatPrefix(subnet(prefixOf(network!), wholeNumber(newBits!), at))
  },
)

const cidrsubnets: FunctionSpec = {
  parameters: [parameter('prefix', string)],
  variadic: parameter('newbits', number),
  call([prefix, ...lengths]) {
    const network = prefixOf(prefix!)
    let next = network.base
    const end = network.base + (1n << BigInt(network.bits - network.length))
    const found = lengths.map((one, index) => {
      const newBits = wholeNumber(one)
      if (newBits < 1) throw new ArgumentFailure(index + 1, 'must extend prefix by at least one bit')
      const length = network.length + newBits
      if (length > network.bits) {
        const kind = network.bits === 32 ? 'IPv4' : 'IPv6'
        throw new ArgumentFailure(
          index + 1,
          `would extend prefix to ${length} bits, which is too long for an ${kind} address`,
        )
      }
      const room = 1n << BigInt(network.bits - length)
      const base = ((next + room - 1n) / room) * room
      if (base + room > end) {
        throw new ArgumentFailure(
          index + 1,
          `not enough remaining address space for a subnet with a prefix of ${length} bits`,
        )
      }
      next = base + room
      return formatPrefix({ base, length, bits: network.bits })
    })
    return listValue(string, found)
  },
}

export const cidrFunctions: Readonly<Record<string, FunctionSpec>> = { cidrhost, cidrnetmask, cidrsubnet, cidrsubnets }
