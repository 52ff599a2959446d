import type { LookupAddress } from 'node:dns'
import { describe, expect, it } from 'vitest'
import { isPrivateAddress, publicLookup } from './safe-address.ts'

describe('private addresses', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '[::1]',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::FFFF:10.0.0.1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2001:0:1::1',
    '2001:db8::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '100::1',
  ])('%s is private', (address) => {
    expect(isPrivateAddress(address)).toBe(true)
  })

  it.each([
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '100.128.0.1',
    '192.169.0.1',
    '2606:4700::6810:1',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    'api.example.com',
  ])('%s is not', (address) => {
    expect(isPrivateAddress(address)).toBe(false)
  })
})

describe('a lookup for the internet only', () => {
  const lookupWith = (...addresses: readonly string[]) => {
    const resolve = (_host: string, _options: unknown, callback: (error: null, found: LookupAddress[]) => void) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
    return publicLookup(resolve as unknown as Parameters<typeof publicLookup>[0])
  }

  it('refuses a public name that resolves to a private address', () => {
    lookupWith('127.0.0.1', '::1')('rebind.example.com', { all: true }, (error) => {
      expect(error?.message).toBe(
        'UNSAFE_ADDRESS: "rebind.example.com" is an address of a private network. Set "private: true" where it is configured if that is meant.',
      )
    })
    expect.assertions(1)
  })

  it('connects only to the public ones of several addresses', () => {
    lookupWith('10.0.0.1', '8.8.8.8')('mixed.example.com', { all: true }, (error, found) => {
      expect(error).toBeNull()
      expect(found).toEqual([{ address: '8.8.8.8', family: 4 }])
    })
    lookupWith('10.0.0.1', '2606:4700::1')('mixed.example.com', {}, (_error, found, family) => {
      expect([found, family]).toEqual(['2606:4700::1', 6])
    })
    expect.assertions(3)
  })
})
