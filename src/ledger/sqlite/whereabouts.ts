import type { Filter } from '../../core/question.ts'
import type { Values } from './axes.ts'
import { quarters } from './cubes.ts'
import type { Database } from './database.ts'

/** Whose whereabouts are written down, and the numbers that they have in the table. */
export const attributeOf = { session: 0, user: 1 } as const
type Sought = keyof typeof attributeOf

/** Writes down in which quarters of an hour sessions and users have entries, and from when to when. */
export interface Whereabouts {
  /** `name` 0 is nobody. */
  note(attribute: Sought, name: number, at: number): void
  /** Writes what was noted, inside the transaction. */
  flush(): void
  /** After a rollback: nothing that was noted is there. */
  forget(): void
}

interface Noted {
  readonly attribute: number
  readonly name: number
  readonly quarter: number
  first: number
  last: number
}

const quartersMax = 2 ** 22

export const createWhereabouts = (database: Database): Whereabouts => {
  const upsert = database.prepare(
    `INSERT INTO whereabouts (attribute, quarter, name, first, last) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)`,
  )
  const noted = new Map<number, Noted>()
  const write = ({ attribute, quarter, name, first, last }: Noted): void => {
    upsert.run(attribute, quarter, name, first, last)
  }
  return {
    note(sought, name, at) {
      if (name === 0) return
      const attribute = attributeOf[sought]
      const quarter = Math.floor(at / quarters.bucketMs)
      const key = (name * 2 + attribute) * quartersMax + quarter
      const known = noted.get(key)
      // Past the year 2089, or a thousand million names, two notes could have one number.
      if (known === undefined || known.quarter !== quarter || known.name !== name) {
        if (known !== undefined) write(known)
        noted.set(key, { attribute, name, quarter, first: at, last: at })
        return
      }
      known.first = Math.min(known.first, at)
      known.last = Math.max(known.last, at)
    },
    flush() {
      for (const each of noted.values()) write(each)
      noted.clear()
    },
    forget: () => noted.clear(),
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
    `SELECT DISTINCT quarter FROM whereabouts WHERE name IN (${names.join(', ')}) AND attribute = ${attributeOf[named.by as Sought]} AND quarter >= ? AND quarter <= ? ORDER BY quarter`,
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
