import { scryptSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createKeyRing, keyCharsMax, keyHashOf, parseKeys } from './keys.ts'

const secret = 'a-long-random-client-key-0001'
const scryptKey = 'slow.a-long-random-client-key-0002'
const salt = Buffer.from('0123456789abcdef')
const scryptHash = `scrypt:1024:8:1:${salt.toString('base64')}:${scryptSync(scryptKey, salt, 32, { cost: 1024, blockSize: 8, parallelization: 1 }).toString('base64')}`

const ringOf = (...items: readonly unknown[]) => createKeyRing(parseKeys(items))

describe('a ring of keys', () => {
  const ring = ringOf({ id: 'fast', hash: keyHashOf(secret), team: 'cx' }, { id: 'slow', hash: scryptHash, may: ['read'] })

  it('knows a key by its hash and what it stands for', () => {
    expect(ring.check(secret)).toMatchObject({ id: 'fast', attribution: { team: 'cx' }, may: ['call', 'send'] })
  })

  it('knows a scrypt key, and the second time at once', async () => {
    expect(await ring.check(scryptKey)).toMatchObject({ id: 'slow', may: ['read'] })
    expect(ring.check(scryptKey)).toMatchObject({ id: 'slow' })
  })

  it.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['a wrong key', `${secret}x`],
    ['the hash itself', keyHashOf(secret)],
    ['a wrong key under a known id', 'slow.a-long-random-client-key-0003'],
    ['a key past the longest', 'k'.repeat(keyCharsMax + 1)],
  ])('refuses %s', async (_name, shown) => {
    expect(await ring.check(shown)).toBeUndefined()
  })

  it('answers strangers without computing a slow hash when no key of that name has one', () => {
    expect(ringOf({ id: 'fast', hash: keyHashOf(secret) }).check('slow.a-long-random-client-key-0003')).toBeUndefined()
  })

  it('refuses strangers past those that wait for a slow hash, and is right again afterwards', async () => {
    const crowded = ringOf({ id: 'slow', hash: scryptHash })
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => crowded.check(`slow.another-wrong-key-of-a-stranger-${index}`)),
    )
    expect(answers.every((answer) => answer === undefined)).toBe(true)
    expect(await crowded.check(scryptKey)).toMatchObject({ id: 'slow' })
  })

  it('is empty without keys, and then knows nobody', () => {
    expect(createKeyRing([]).isEmpty).toBe(true)
    expect(createKeyRing([]).check(secret)).toBeUndefined()
  })
})

describe('keys in configuration', () => {
  it.each([
    ['a key in place of its hash', { id: 'a', hash: 'sk-canary-secret-value' }, 'keys[0].hash'],
    ['a scrypt hash that needs too much memory', { id: 'a', hash: scryptHash.replace(':1024:8:', ':1048576:8:') }, 'keys[0].hash'],
    ['no id', { hash: keyHashOf(secret) }, 'keys[0].id'],
    ['an unknown setting', { id: 'a', hash: keyHashOf(secret), teem: 'cx' }, 'keys[0].teem'],
    ['an unknown use', { id: 'a', hash: keyHashOf(secret), may: ['fly'] }, 'keys[0].may'],
    ['an attribute that is too long', { id: 'a', hash: keyHashOf(secret), team: 'x'.repeat(201) }, 'keys[0].team'],
  ])('%s is refused with its place and without its value', (_name, item, place) => {
    expect(() => parseKeys([item])).toThrow(place)
    expect(() => parseKeys([item])).not.toThrow('canary')
  })

  it('the same id twice is refused', () => {
    const item = { id: 'a', hash: keyHashOf(secret) }
    expect(() => parseKeys([item, item])).toThrow('keys[1].id: "a" is there twice')
  })
})
