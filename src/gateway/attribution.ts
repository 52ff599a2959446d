import type { IncomingHttpHeaders } from 'node:http'
import { type AttributeName, type Attribution, attributeCharsMax, attributeNames, tagKeyCharsMax, tagsMax } from '../core/attribution.ts'

/** Headers of this kind are for the gateway; none of them reaches an upstream. */
export const ownHeaderPrefix = 'x-taximeter-'

/** What a client may say of itself: all attributes but the key, which is what it showed. */
const sayable: readonly Exclude<AttributeName, 'key'>[] = attributeNames.filter((name) => name !== 'key')
const headers = sayable.map((name) => ({ name, header: `${ownHeaderPrefix}${name}` }))

type Draft = { -readonly [Name in keyof Attribution]: Attribution[Name] }

/**
 * Whose call it is: from the path (`/via/agent=a;run=r/`), over it the headers, and over all what the client's key stands for, so
 * that a key of one team cannot spend in the name of another.
 *
 * Texts that are too long are cut and names that nobody knows are passed over: a misspelt attribute must not cost an answer.
 */
export const attributionOf = (via: string | undefined, sent: IncomingHttpHeaders, key: Attribution | undefined): Attribution => {
  const attribution: Draft = {}
  let tags: Record<string, string> | undefined
  if (via !== undefined) {
    for (const [name, value] of pairsOf(via)) {
      if (name.startsWith('tag.')) tags = withTag(tags, name.slice(4), value)
      else if ((sayable as readonly string[]).includes(name)) attribution[name as (typeof sayable)[number]] = value
    }
  }
  for (const { name, header } of headers) {
    const value = sent[header]
    if (typeof value === 'string' && value !== '') attribution[name] = clipped(decoded(value))
  }
  const tagText = sent[`${ownHeaderPrefix}tags`]
  if (typeof tagText === 'string') for (const [name, value] of pairsOf(tagText)) tags = withTag(tags, name, value)
  if (key !== undefined) {
    const { tags: keyTags, ...attributes } = key
    Object.assign(attribution, attributes)
    if (keyTags !== undefined) tags = withKeyTags(keyTags, tags)
  }
  if (tags !== undefined) attribution.tags = tags
  return attribution
}

/** `agent=a;run=r%2F1` → pairs, percent-decoded. A comma separates as well as a semicolon. */
const pairsOf = (text: string): readonly (readonly [string, string])[] =>
  text
    .split(/[;,]/)
    .slice(0, attributeNames.length + tagsMax)
    .map((pair): readonly [string, string] => {
      const at = pair.indexOf('=')
      return at === -1 ? ['', ''] : [decoded(pair.slice(0, at)).trim(), clipped(decoded(pair.slice(at + 1)).trim())]
    })
    .filter(([name, value]) => name !== '' && value !== '')

const withTag = (tags: Record<string, string> | undefined, name: string, value: string): Record<string, string> | undefined => {
  if (!/^[\w.-]+$/.test(name) || name.length > tagKeyCharsMax || name === '__proto__') return tags
  const known = tags ?? {}
  if (Object.keys(known).length < tagsMax || Object.hasOwn(known, name)) known[name] = value
  return known
}

/** The key's tags come first: what a client says besides finds room or not. */
const withKeyTags = (keyTags: Readonly<Record<string, string>>, said: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries({ ...keyTags, ...said, ...keyTags }).slice(0, tagsMax))

export const clipped = (text: string, charsMax = attributeCharsMax): string => (text.length > charsMax ? text.slice(0, charsMax) : text)

/** Headers are Latin-1 on the wire; what is not plain text is sent percent-encoded or as raw UTF-8. */
const decoded = (text: string): string => {
  const plain = /[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text
  if (!plain.includes('%')) return plain
  try {
    return decodeURIComponent(plain)
  } catch {
    return plain
  }
}
