import { accepts, asksForUnits, callValue, isOfRun, type Slice, slicesOf, wholeOf } from '../../core/attribute-values.ts'
import type { CallEntry } from '../../core/event.ts'
import type { Filter, Question } from '../../core/question.ts'
import { tokenUnits } from '../../core/units.ts'
import type { Values } from './axes.ts'
import type { Database, Row } from './database.ts'
import { type KeptEntry, selectEntries } from './rows.ts'

/** What one run did in one segment, and the values of the breakdown that are its calls'. */
export interface EntrySegment {
  readonly values: readonly number[]
  llm: bigint
  tool: bigint
  tokens: bigint
}

/**
 * What a run did by attributes that no roll-up has (steps, tags, units), from its entries: one look per call, so for periods with
 * some hundred thousand calls at most.
 */
export const createRunEntries = (question: Question, database: Database, values: Values, readRow: (row: Row) => KeptEntry) => {
  const select = database.prepare(`${selectEntries} WHERE e.run = ? AND e.counted = 1 AND e.kind < 2`)
  const where = question.where.filter(({ by }) => !isOfRun(by))
  const by = question.by.filter((name) => !isOfRun(name))
  const hasUnits = asksForUnits(question)
  return (run: number): readonly EntrySegment[] => {
    const segments = new Map<string, EntrySegment>()
    for (const row of select.iterate(run)) {
      const entry = readRow(row).entry as CallEntry
      for (const slice of slicesIn(entry, where, hasUnits)) {
        const found = by.map((name) => values.numberOf(name, name === 'unit' ? slice.unit : callValue(entry, name, undefined)))
        const key = found.join()
        let segment = segments.get(key)
        if (segment === undefined) segments.set(key, (segment = { values: found, llm: 0n, tool: 0n, tokens: 0n }))
        if (entry.event.kind === 'llm') segment.llm += slice.cost
        else segment.tool += slice.cost
        for (const [unit, count] of slice.tokens) if (tokenUnits.includes(unit)) segment.tokens += BigInt(count)
      }
    }
    return [...segments.values()]
  }
}

const slicesIn = (entry: CallEntry, where: readonly Filter[], hasUnits: boolean): readonly Slice[] => {
  if (!where.every((filter) => filter.by === 'unit' || accepts(filter, callValue(entry, filter.by, undefined)))) return []
  const slices = hasUnits ? slicesOf(entry) : [wholeOf(entry)]
  return slices.filter((slice) => where.every((filter) => filter.by !== 'unit' || accepts(filter, slice.unit)))
}
