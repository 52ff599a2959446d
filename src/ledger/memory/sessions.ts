import { amountOf } from '../../core/charge.ts'
import type { CallEntry, Entry } from '../../core/event.ts'
import { completionTokensOf, promptTokensOf } from '../../core/usage.ts'
import { listPage, rankOfTimes } from '../pages.ts'
import type { Page, SessionFilter, SessionPage } from '../store.ts'

/** One page of the sessions of a period: their times from all entries that were kept, their rank from the calls that pass. */
export const sessionPageOf = (
  kept: readonly Entry[],
  passing: readonly CallEntry[],
  { from, to, sort }: SessionFilter,
  page: Page,
): SessionPage => {
  const isInside = ({ event }: Entry): boolean => event.at >= from && event.at < to
  const sums = new Map<string, { cost: bigint; tokens: bigint }>()
  for (const { event, charge } of passing.filter(isInside)) {
    if (event.session === undefined) continue
    const sum = sums.get(event.session) ?? { cost: 0n, tokens: 0n }
    sum.cost += amountOf(charge)
    if (event.kind === 'llm') sum.tokens += BigInt(promptTokensOf(event.usage) + completionTokensOf(event.usage))
    sums.set(event.session, sum)
  }
  const listed = [...sums].map(([session, { cost, tokens }]) => {
    const times = kept.filter((entry) => entry.event.session === session && isInside(entry)).map(({ event }) => event.at)
    const item = { session, startedAt: Math.min(...times), endedAt: Math.max(...times) }
    return { item, name: session, rank: sort === 'costliest' ? cost : sort === 'tokens' ? tokens : rankOfTimes(item, sort) }
  })
  const { items, next } = listPage(listed, page)
  return { sessions: items, ...(next !== undefined && { next }) }
}
