import { createHash } from 'node:crypto'
import { attributeNames, tagsMax } from '../core/attribution.ts'
import { type Call, type CallEntry, sources } from '../core/event.ts'
import { totalTokensOf } from '../core/usage.ts'

/**
 * Several sources told of one call: the one entry that is counted for it.
 *
 * It is a function of the set of originals alone, whatever the order and however often each came. The most authoritative
 * original gives usage and charge; what it does not say of the call's attribution is filled in from the others, the more
 * authoritative first. When nothing had to be filled in, the answer is that original itself; otherwise it is a joined entry
 * whose id is made from the ids of all that gave something, and which `corrects` the most authoritative one.
 */
export const joinOf = (originals: readonly CallEntry[]): CallEntry => {
  const [winner, ...others] = [...originals].sort(byAuthority)
  if (winner === undefined) throw new RangeError('A call has at least one entry')
  const givers = new Set<string>([winner.event.id])
  const event: Record<string, unknown> = { ...winner.event }
  for (const other of others) {
    if (other.event.kind === winner.event.kind && fill(event, other.event)) givers.add(other.event.id)
  }
  if (givers.size === 1) return winner
  return { event: { ...event, id: joinedId(givers) } as unknown as Call, charge: winner.charge, corrects: winner.event.id }
}

/**
 * The order in which originals are believed: who knows the usage before who does not, then gateway › sdk › otlp › import.
 * Log files and exporters repeat a call while its output grows, so of two such reports the larger is the later one; the
 * smaller id decides where nothing else does.
 */
const byAuthority = (left: CallEntry, right: CallEntry): number => {
  const known = Number(isMissing(left.event)) - Number(isMissing(right.event))
  if (known !== 0) return known
  const rank = sources.indexOf(left.event.source) - sources.indexOf(right.event.source)
  if (rank !== 0) return rank
  if (left.event.source === 'otlp' || left.event.source === 'import') {
    const tokens = tokensOf(right.event) - tokensOf(left.event)
    if (tokens !== 0) return tokens
  }
  return left.event.id < right.event.id ? -1 : 1
}

const isMissing = (call: Call): boolean => call.kind === 'llm' && call.quality === 'missing'
const tokensOf = (call: Call): number => (call.kind === 'llm' ? totalTokensOf(call.usage) : 0)

/** What describes a call and does not change its price: a joined entry may take it from a lesser source. */
const described = [...attributeNames, 'requestedModel', 'operation', 'durationMs', 'firstByteMs', 'promptHash'] as const

/** Fills what `event` lacks from another report of the same call; true when something was filled. */
const fill = (event: Record<string, unknown>, other: Call): boolean => {
  let isChanged = false
  const from = other as unknown as Record<string, unknown>
  for (const name of described) {
    if (event[name] !== undefined || from[name] === undefined) continue
    event[name] = from[name]
    isChanged = true
  }
  const tags = new Map(Object.entries((event.tags as Record<string, string> | undefined) ?? {}))
  for (const [key, value] of Object.entries(other.tags ?? {}).sort(byFirst)) {
    if (tags.has(key) || tags.size >= tagsMax) continue
    tags.set(key, value)
    event.tags = Object.fromEntries(tags)
    isChanged = true
  }
  return isChanged
}

const byFirst = (left: readonly [string, string], right: readonly [string, string]): number => (left[0] < right[0] ? -1 : 1)

/** A UUID of version 8 ("made by the application's own rule") from the ids that were joined, so that every store and every order makes the same one. */
const joinedId = (ids: ReadonlySet<string>): string => {
  const hex = createHash('sha256')
    .update([...ids].sort().join('\n'))
    .digest('hex')
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
