import { type LookupAddress, type LookupOptions, lookup } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import { TaximeterError } from '../core/errors.ts'

/**
 * Addresses that are nobody's on the internet: this machine, private and link-local networks (cloud metadata lives there),
 * carrier NAT, documentation, benchmarks, multicast and what is reserved. IANA's special-purpose registries, IPv4 and IPv6.
 */
const special = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  special.addSubnet(network, prefix, 'ipv4')

/** All that is global today is in 2000::/3; inside it, these hide an IPv4 address or are nobody's. */
const specialInside = new BlockList()
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  specialInside.addSubnet(network, prefix, 'ipv6')
const global = new BlockList()
global.addSubnet('2000::', 3, 'ipv6')
/** IPv4 written as IPv6, and NAT64, lead to the IPv4 address in their last 32 bits. */
const mapped = new BlockList()
mapped.addSubnet('::ffff:0:0', 96, 'ipv6')
mapped.addSubnet('64:ff9b::', 96, 'ipv6')

/** True for an IP address, in any spelling, that only a machine or network of one's own can have. */
export const isPrivateAddress = (address: string): boolean => {
  const text = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  const family = isIP(text)
  if (family === 4) return special.check(text, 'ipv4')
  if (family !== 6) return false
  if (mapped.check(text, 'ipv6')) return special.check(lastFour(text), 'ipv4')
  return !global.check(text, 'ipv6') || specialInside.check(text, 'ipv6')
}

/** The last 32 bits of an IPv6 address as IPv4: "::ffff:7f00:1" and "::ffff:127.0.0.1" → "127.0.0.1". */
const lastFour = (address: string): string => {
  const dotted = /(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1]
  if (dotted !== undefined) return dotted
  // The URL parser writes every IPv6 address in one canonical form.
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(':')
  const [high, low] = [groups.at(-2) ?? '', groups.at(-1) ?? ''].map((group) => Number.parseInt(group === '' ? '0' : group, 16))
  return [(high ?? 0) >> 8, (high ?? 0) & 255, (low ?? 0) >> 8, (low ?? 0) & 255].join('.')
}

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void

/**
 * A name lookup for connections that may only leave for the internet. The addresses that are given back are the ones that are
 * connected to, so that a name that changes its address between a check and its use (DNS rebinding) gains nothing.
 */
export const publicLookup = (resolve: typeof lookup = lookup) => {
  return (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, [])
      const safe = addresses.filter(({ address }) => !isPrivateAddress(address))
      const [first] = safe
      if (first === undefined) return callback(unsafeAddress(hostname), [])
      if (options.all) callback(null, safe)
      else callback(null, first.address, first.family)
    })
  }
}

export const unsafeAddress = (host: string): TaximeterError =>
  new TaximeterError(
    'UNSAFE_ADDRESS',
    `"${host}" is an address of a private network. Set "private: true" where it is configured if that is meant.`,
  )
