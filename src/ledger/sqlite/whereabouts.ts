import type { Filter } from '../../core/question.ts'
import type { Values } from './axes.ts'
import { quarters } from './cubes.ts'
import type { Database } from './database.ts'

/** Writes down in which quarters of an hour sessions and users have entries. */
export interface Whereabouts {
  /** `name` 0 is nobody. */
  note(name: number, at: number): void
  /** After a rollback: what was noted may not be there. */
  forget(): void
}

const knownMax = 100_000
const quartersMax = 2 ** 22

export const createWhereabouts = (database: Database): Whereabouts => {
  const insert = database.prepare('INSERT OR IGNORE INTO whereabouts (name, quarter) VALUES (?, ?)')
  const known = new Set<number>()
  return {
    note(name, at) {
      if (name === 0) return
      const quarter = Math.floor(at / quarters.bucketMs)
      const key = name * quartersMax + quarter
      if (known.has(key)) return
      insert.run(name, quarter)
      if (known.size >= knownMax) known.clear()
      // Past the year 2089 two pairs could have one number.
      if (quarter < quartersMax) known.add(key)
    },
    forget: () => known.clear(),
  }
}

/** A part of a period, from one instant to before another. */
export interface Span {
  readonly from: number
  readonly to: number
}

/**
 * The parts of a period outside of which no entry passes the filters, because they name sessions or users: whole quarters of an
 * hour, those that follow each other as one. Undefined when they name none.
 */
export const spansOf = (database: Database, where: readonly Filter[], values: Values, { from, to }: Span): readonly Span[] | undefined => {
  const named = where.find(({ by, isNot, values: wanted }) => (by === 'session' || by === 'user') && !isNot && !wanted.includes(null))
  if (named === undefined) return undefined
  const names = named.values.map((value) => values.numberOf(named.by, value)).filter((name) => name <= namesMax)
  const select = database.prepare(
    `SELECT DISTINCT quarter FROM whereabouts WHERE name IN (${names.join(', ')}) AND quarter >= ? AND quarter <= ? ORDER BY quarter`,
  )
  const spans: { from: number; to: number }[] = []
  for (const [quarter] of select.iterate(Math.floor(from / quarters.bucketMs), Math.floor((to - 1) / quarters.bucketMs))) {
    const start = Number(quarter) * quarters.bucketMs
    const last = spans.at(-1)
    if (last?.to === start) last.to = start + quarters.bucketMs
    else spans.push({ from: start, to: start + quarters.bucketMs })
  }
  return spans.map((span) => ({ from: Math.max(span.from, from), to: Math.min(span.to, to) }))
}

const namesMax = 2 ** 31
