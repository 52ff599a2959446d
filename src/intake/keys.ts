import { hash, scrypt, timingSafeEqual } from 'node:crypto'
import { type Attribution, attributeCharsMax, attributeNames, tagKeyCharsMax, tagsMax } from '../core/attribution.ts'
import { TaximeterError } from '../core/errors.ts'

/** What a key may be used for: call models through the gateway, send events, ask questions, operate the server. */
export const keyUses = ['call', 'send', 'read', 'operate'] as const
export type KeyUse = (typeof keyUses)[number]

/** One client key as configuration holds it. The key itself is known to its owner only. */
export interface ClientKey {
  /** Public: may be logged, is kept with every call as its attribute `key`, and is what a budget of scope `key` binds. */
  readonly id: string
  /** `sha256:<64 hexadecimal digits>`, or `scrypt:<N>:<r>:<p>:<salt>:<hash>` with salt and hash in base64. */
  readonly hash: string
  readonly may: readonly KeyUse[]
  /** Names of upstreams; absent: all of them. */
  readonly upstreams?: readonly string[]
  /** What every call with this key is attributed to, whatever the client says. */
  readonly attribution: Attribution
}

/** The keys of all clients. Digests are compared in constant time; nothing of a key is kept or told. */
export interface KeyRing {
  readonly isEmpty: boolean
  /** The key that was shown, or undefined. At once for sha256 keys; a promise while a scrypt hash is computed. */
  check(shown: string | undefined): ClientKey | undefined | Promise<ClientKey | undefined>
}

export const keysMax = 10_000
/** A key that a person chose could be guessed in bulk from its hash; ours are random and this long at least. */
export const keyCharsMin = 16
export const keyCharsMax = 512
/** Slow hashes computed at once: more would let a stranger keep every core busy. The rest wait their turn, and past that are refused. */
const slowAtOnceMax = 2
const slowWaitingMax = 64
/** Digests of keys whose slow hash was computed already, right or wrong. */
const rememberedMax = 10_000

/**
 * A ring from the keys of configuration. A key is looked up by its SHA-256, whose first bytes tell nothing of a random key, and
 * compared whole in constant time. A scrypt key is written `<id>.<secret>`, so that one slow hash is computed and not one per key.
 */
export const createKeyRing = (keys: readonly ClientKey[]): KeyRing => {
  const fast = new Map<string, { readonly digest: Buffer; readonly key: ClientKey }[]>()
  const slow = new Map<string, { readonly parameters: ScryptHash; readonly key: ClientKey }>()
  for (const key of keys) {
    const digest = sha256Of(key.hash)
    if (digest === undefined) slow.set(key.id, { parameters: scryptOf(key.hash), key })
    else {
      const prefix = digest.toString('hex', 0, 4)
      fast.set(prefix, [...(fast.get(prefix) ?? []), { digest, key }])
    }
  }
  const turns = createTurns(slowAtOnceMax, slowWaitingMax)
  const remembered = new Map<string, ClientKey | undefined>()

  const checkSlow = async (shown: string, digest: string): Promise<ClientKey | undefined> => {
    const found = slow.get(shown.slice(0, Math.max(0, shown.indexOf('.'))))
    if (found === undefined || !(await turns.take())) return undefined
    try {
      const isRight = timingSafeEqual(await scryptAsync(shown, found.parameters), found.parameters.hash)
      if (remembered.size >= rememberedMax) remembered.clear()
      remembered.set(digest, isRight ? found.key : undefined)
      return isRight ? found.key : undefined
    } finally {
      turns.give()
    }
  }

  return {
    isEmpty: keys.length === 0,
    check(shown) {
      if (shown === undefined || shown.length < keyCharsMin || shown.length > keyCharsMax) return undefined
      const digest = hash('sha256', shown, 'buffer')
      let found: ClientKey | undefined
      for (const candidate of fast.get(digest.toString('hex', 0, 4)) ?? [])
        if (timingSafeEqual(candidate.digest, digest)) found = candidate.key
      if (found !== undefined || slow.size === 0) return found
      const name = digest.toString('base64')
      return remembered.has(name) ? remembered.get(name) : checkSlow(shown, name)
    },
  }
}

/** The hash of a new sha256 key, for whoever writes it into configuration. */
export const keyHashOf = (key: string): string => `sha256:${hash('sha256', key)}`

const sha256Of = (text: string): Buffer | undefined => {
  const digits = /^sha256:([0-9a-f]{64})$/i.exec(text)?.[1]
  return digits === undefined ? undefined : Buffer.from(digits, 'hex')
}

interface ScryptHash {
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
  readonly salt: Buffer
  readonly hash: Buffer
}

const scryptForm = /^scrypt:(\d{4,7}):(\d{1,2}):(\d{1,2}):([A-Za-z0-9+/_-]{11,128}={0,2}):([A-Za-z0-9+/_-]{22,128}={0,2})$/

const scryptOf = (text: string): ScryptHash => {
  const [, cost, blockSize, parallelization, salt, digest] = scryptForm.exec(text) ?? []
  if (cost === undefined || salt === undefined || digest === undefined) throw new TaximeterError('BAD_CONFIG', hashSentence)
  return {
    cost: Number(cost),
    blockSize: Number(blockSize),
    parallelization: Number(parallelization),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(digest, 'base64'),
  }
}

const scryptBytesMax = 256 * 1_048_576

const scryptAsync = (text: string, { cost, blockSize, parallelization, salt, hash: expected }: ScryptHash): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options = { cost, blockSize, parallelization, maxmem: scryptBytesMax }
    scrypt(text, salt, expected.length, options, (error, derived) => (error ? reject(error) : resolve(derived)))
  })

/** So many at once, so many waiting; who comes past that is told no. */
const createTurns = (atOnceMax: number, waitingMax: number) => {
  let taken = 0
  const waiting: (() => void)[] = []
  return {
    take(): Promise<boolean> | boolean {
      if (taken < atOnceMax) {
        taken += 1
        return true
      }
      if (waiting.length >= waitingMax) return false
      return new Promise((resolve) => waiting.push(() => resolve(true)))
    },
    give(): void {
      const next = waiting.shift()
      if (next === undefined) taken -= 1
      else next()
    },
  }
}

const hashSentence =
  '"hash" should be "sha256:" and the 64 hexadecimal digits of the key\'s SHA-256, or "scrypt:N:r:p:salt:hash"; never the key itself'

/** The list of `keys:` from configuration. Throws BAD_CONFIG; `locate` says where a path such as `keys[0].hash` stands. No value is repeated. */
export const parseKeys = (list: readonly unknown[], locate: (path: string) => string = (path) => path): readonly ClientKey[] => {
  if (list.length > keysMax) throw complaint(locate('keys'), `At most ${keysMax} keys, got ${list.length}`)
  const ids = new Set<string>()
  return list.map((item, index) => {
    const at = (field: string): string => locate(`keys[${index}]${field === '' ? '' : `.${field}`}`)
    const key = parseKey(item, at)
    if (ids.has(key.id)) throw complaint(at('id'), `"${key.id}" is there twice`)
    ids.add(key.id)
    return key
  })
}

type Place = (field: string) => string
const fields: ReadonlySet<string> = new Set(['id', 'hash', 'may', 'upstreams', 'tags', ...attributeNames.filter((name) => name !== 'key')])

const parseKey = (item: unknown, at: Place): ClientKey => {
  if (typeof item !== 'object' || item === null || Array.isArray(item))
    throw complaint(at(''), 'A key should be a table with an "id" and a "hash"')
  const json = item as Readonly<Record<string, unknown>>
  for (const field of Object.keys(json))
    if (!fields.has(field)) throw complaint(at(field), `"${field}" is not a setting of a key. Use ${[...fields].join(', ')}`)
  const { id, hash: digest } = json
  if (typeof id !== 'string' || !/^[A-Za-z0-9][\w-]{0,63}$/.test(id))
    throw complaint(at('id'), '"id" should be 1 to 64 letters, digits, "_" or "-": it is public and is kept with every call')
  if (typeof digest !== 'string' || (sha256Of(digest) === undefined && !isScrypt(digest))) throw complaint(at('hash'), hashSentence)
  const upstreams = json.upstreams === undefined ? undefined : namesOf(json.upstreams, at('upstreams'))
  const may = json.may === undefined ? (['call', 'send'] as const) : namesOf(json.may, at('may')).map((use) => useOf(use, at('may')))
  return { id, hash: digest, may, ...(upstreams && { upstreams }), attribution: attributionOf(json, at) }
}

/** Costs that a machine can pay for a request: a hash that needs more memory than `scryptBytesMax` never succeeds. */
const isScrypt = (text: string): boolean => {
  if (!scryptForm.test(text)) return false
  const { cost, blockSize, parallelization } = scryptOf(text)
  return (cost & (cost - 1)) === 0 && blockSize >= 1 && parallelization >= 1 && 128 * cost * blockSize * 2 <= scryptBytesMax
}

const useOf = (name: string, where: string): KeyUse => {
  const use = keyUses.find((known) => known === name)
  if (use === undefined) throw complaint(where, `"may" should name some of ${keyUses.join(', ')}`)
  return use
}

const namesOf = (value: unknown, where: string): readonly string[] => {
  if (!Array.isArray(value) || value.length > 256 || !value.every((name) => typeof name === 'string' && name !== ''))
    throw complaint(where, 'This should be a list of names')
  return value
}

const attributionOf = (json: Readonly<Record<string, unknown>>, at: Place): Attribution => {
  const attribution: Record<string, unknown> = {}
  for (const name of attributeNames) {
    const value = json[name]
    if (name === 'key' || value === undefined) continue
    if (typeof value !== 'string' || value === '' || value.length > attributeCharsMax)
      throw complaint(at(name), `"${name}" should be a text of at most ${attributeCharsMax} characters`)
    attribution[name] = value
  }
  if (json.tags !== undefined) attribution.tags = tagsOf(json.tags, at('tags'))
  return attribution
}

const tagsOf = (value: unknown, where: string): Readonly<Record<string, string>> => {
  const pairs = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined
  const isFine = pairs?.every(
    ([name, text]) =>
      /^[\w.-]+$/.test(name) && name.length <= tagKeyCharsMax && typeof text === 'string' && text.length <= attributeCharsMax,
  )
  if (pairs === undefined || !isFine || pairs.length > tagsMax)
    throw complaint(where, `"tags" should be a table of at most ${tagsMax} short texts`)
  return value as Readonly<Record<string, string>>
}

const complaint = (where: string, sentence: string) => new TaximeterError('BAD_CONFIG', `${where}: ${sentence}.`)
