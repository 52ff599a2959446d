import type { Entry } from '../../core/event.ts'
import { parseUsd } from '../../core/money.ts'
import { listPage, rankOfTimes } from '../pages.ts'
import type { Page, SessionFilter, SessionPage } from '../store.ts'
import { askRaw, type Book } from './ask.ts'

/** One page of the sessions of a period: their times from all entries that were kept, their rank as a question by session tells it. */
export const sessionPageOf = (kept: readonly Entry[], book: Book, { where, from, to, sort }: SessionFilter, page: Page): SessionPage => {
  const withSession = { by: 'session', values: [null], isNot: true } as const
  const { rows } = askRaw({ measures: ['cost', 'tokens'], by: ['session'], where: [...where, withSession], from, to, zone: 'UTC' }, book)
  const listed = rows.map((row) => {
    const session = String(row.session)
    const times = kept.filter(({ event }) => event.session === session && event.at >= from && event.at < to).map(({ event }) => event.at)
    const item = { session, startedAt: Math.min(...times), endedAt: Math.max(...times) }
    const cost = typeof row.cost === 'string' ? (parseUsd(row.cost) ?? 0n) : 0n
    const rank = sort === 'costliest' ? cost : sort === 'tokens' ? BigInt(row.tokens ?? 0) : rankOfTimes(item, sort)
    return { item, name: session, rank }
  })
  const { items, next } = listPage(listed, page)
  return { sessions: items, ...(next !== undefined && { next }) }
}
