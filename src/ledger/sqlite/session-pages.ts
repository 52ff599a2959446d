import type { Filter, ListOrder, Measure, Question } from '../../core/question.ts'
import { limitOf, listCursor, parseListCursor, rankOfTimes } from '../pages.ts'
import type { Page, SessionFilter, SessionPage, SessionTimes } from '../store.ts'
import { type CallSources, sumCalls } from './ask-calls.ts'
import { bigOf, lowColumns, two32 } from './block.ts'
import { quarters } from './cubes.ts'
import type { Database } from './database.ts'
import { bucketsOf } from './periods.ts'
import { conditionOf } from './sql-filter.ts'
import type { Span } from './whereabouts.ts'
import { attributeOf } from './whereabouts.ts'

/** Sessions in columns: their names' numbers, and what they are ranked by, high × 2³² + low. */
interface Ranked {
  readonly names: Int32Array
  readonly high: Float64Array
  readonly low: Float64Array
}

interface Times {
  first: number
  last: number
}

/** One page of a period's sessions: from roll-ups which have calls that pass, from their whereabouts when they were. */
export const sessionPage = (filter: SessionFilter, page: Page, sources: CallSources): SessionPage => {
  const { database, values } = sources
  const found = sessionsIn(filter, sources)
  const isByTime = filter.sort !== 'costliest' && filter.sort !== 'tokens'
  const named = filter.where.filter(({ by, isNot }) => by === 'session' && !isNot)
  const conditions = named.map((each) => conditionOf('session', each, values))
  const times = isByTime ? timesIn(database, filter, conditions) : undefined
  if (times !== undefined) rankByTimes(found, times, filter.sort as 'newest')

  const textOf = (place: number): string => values.textOf('session', found.names[place] as number) ?? ''
  const order = Array.from(found.names.keys()).sort(
    (left, right) =>
      (found.high[right] as number) - (found.high[left] as number) ||
      (found.low[right] as number) - (found.low[left] as number) ||
      (textOf(left) < textOf(right) ? -1 : 1),
  )
  const rankAt = (place: number): bigint => bigOf(found.low[place] as number, found.high[place] as number)
  const start = page.after === undefined ? 0 : placeAfter(order, page.after, rankAt, textOf)
  const shown = order.slice(start, start + limitOf(page))
  const shownNames = shown.map((place) => found.names[place] as number)
  const known = times ?? timesIn(database, filter, [`session IN (${shownNames.join(', ')})`])
  const last = shown.at(-1)
  return {
    sessions: shown.map((place): SessionTimes => {
      const { first, last } = known.get(found.names[place] as number) ?? { first: filter.from, last: filter.from }
      return { session: textOf(place), startedAt: first, endedAt: last }
    }),
    ...(last !== undefined && start + shown.length < order.length && { next: listCursor(rankAt(last), textOf(last)) }),
  }
}

const measureOf: Readonly<Partial<Record<ListOrder, Measure>>> = { costliest: 'cost', tokens: 'tokens' }
const withSession: Filter = { by: 'session', values: [null], isNot: true }

const sessionsIn = ({ where, from, to, sort }: SessionFilter, sources: CallSources): Ranked => {
  const measure = measureOf[sort] ?? 'calls'
  const question: Question = { measures: [measure], by: ['session'], where: [...where, withSession], from, to, zone: 'UTC' }
  const { groups, columns } = sumCalls(question, bucketsOf(question), sources)
  const places = columns.flatMap((column, place) => (lowColumns.includes(column) && (measure === 'tokens') === place > 2 ? [place] : []))
  const numbers = groups.keys[1] ?? new Int32Array(0)
  const placeOf = new Map<number, number>()
  for (const [group, name] of numbers.entries()) {
    // What was taken out of the totals can leave a session without calls behind.
    if (groups.sums[0]?.[group] !== 0 && !placeOf.has(name)) placeOf.set(name, placeOf.size)
  }
  const ranked = { names: Int32Array.from(placeOf.keys()), high: new Float64Array(placeOf.size), low: new Float64Array(placeOf.size) }
  if (measure === 'calls') return ranked
  for (const [group, name] of numbers.entries()) {
    const at = placeOf.get(name)
    if (at === undefined) continue
    for (const place of places) {
      ranked.low[at] = (ranked.low[at] as number) + (groups.sums[place]?.[group] ?? 0)
      ranked.high[at] = (ranked.high[at] as number) + (groups.sums[place + 1]?.[group] ?? 0)
    }
  }
  for (const [at, value] of ranked.low.entries()) {
    const over = Math.floor(value / two32)
    ranked.low[at] = value - over * two32
    ranked.high[at] = (ranked.high[at] as number) + over
  }
  return ranked
}

/** Times are far below 2⁵³: they need no high half. */
const rankByTimes = ({ names, low }: Ranked, times: ReadonlyMap<number, Times>, sort: 'newest' | 'oldest' | 'longest'): void => {
  for (const [place, name] of names.entries()) {
    const { first, last } = times.get(name) ?? { first: 0, last: 0 }
    low[place] = Number(rankOfTimes({ startedAt: first, endedAt: last }, sort))
  }
}

/** The first place in the order that comes after a cursor. */
const placeAfter = (
  order: readonly number[],
  after: string,
  rankAt: (place: number) => bigint,
  textOf: (place: number) => string,
): number => {
  const { rank, name } = parseListCursor(after)
  let low = 0
  let high = order.length
  while (low < high) {
    const middle = (low + high) >> 1
    const place = order[middle] as number
    const found = rankAt(place)
    if (found < rank || (found === rank && textOf(place) > name)) high = middle
    else low = middle + 1
  }
  return low
}

/** The first and the last entry of each session in a period: of whole quarters of an hour as noted, of what is cut off from the entries. */
const timesIn = (database: Database, { from, to }: Span, conditions: readonly string[]): ReadonlyMap<number, Times> => {
  const times = new Map<number, Times>()
  const meet = (name: number, first: number, last: number): void => {
    const known = times.get(name)
    if (known === undefined) times.set(name, { first, last })
    else {
      known.first = Math.min(known.first, first)
      known.last = Math.max(known.last, last)
    }
  }
  const firstWhole = Math.ceil(from / quarters.bucketMs)
  const endWhole = Math.max(firstWhole, Math.floor(to / quarters.bucketMs))
  const noted = [`${conditions.length > 0 ? '+' : ''}attribute = ${attributeOf.session}`, ...conditions]
    .join(' AND ')
    .replaceAll('session', 'name')
  const wholes = database.prepare(`SELECT name, first, last FROM whereabouts WHERE ${noted} AND quarter >= ? AND quarter < ?`)
  for (const [name, first, last] of wholes.all(firstWhole, endWhole)) meet(name as number, first as number, last as number)
  const cut = database.prepare(
    `SELECT session, min(at), max(at) FROM entries WHERE ${['session IS NOT NULL', ...conditions, 'at >= ?', 'at < ?'].join(' AND ')} GROUP BY session`,
  )
  for (const [start, end] of [
    [from, Math.min(to, firstWhole * quarters.bucketMs)],
    [Math.max(from, firstWhole * quarters.bucketMs, endWhole * quarters.bucketMs), to],
  ] as const) {
    if (start >= end) continue
    for (const [name, first, last] of cut.all(start, end)) meet(name as number, first as number, last as number)
  }
  return times
}
