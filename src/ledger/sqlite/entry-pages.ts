import { accepts, callValue, slicesOf } from '../../core/attribute-values.ts'
import type { CallEntry } from '../../core/event.ts'
import { limitOf, parseEntryCursor } from '../pages.ts'
import type { EntryFilter, EntryPage, Page } from '../store.ts'
import { createLocalTexts, createValues } from './axes.ts'
import type { Database, Row } from './database.ts'
import type { Names } from './names.ts'
import { type KeptEntry, parseId, selectEntries } from './rows.ts'
import { conditionOf, entryColumnOf, runColumnOf } from './sql-filter.ts'
import { spansOf } from './whereabouts.ts'

/** Pages of entries in order of time and id. */
export const createEntryPages = (database: Database, names: Names, readRow: (row: Row) => KeptEntry) => {
  const values = createValues(names, createLocalTexts())

  /** Filters that SQL can decide; the others are decided on the entries. */
  const conditionsOf = (filter: EntryFilter): readonly string[] =>
    filter.where.flatMap((part) => {
      const column = entryColumnOf(part.by)
      if (column !== undefined) return [conditionOf(`e.${column}`, part, values)]
      if (part.by !== 'stopReason' && part.by !== 'runStatus') return []
      return [conditionOf(`(SELECT ${runColumnOf(part.by)} FROM runs WHERE runs.id = e.run)`, part, values)]
    })

  const passes = (entry: CallEntry, filter: EntryFilter): boolean =>
    filter.where.every((part) => {
      if (part.by === 'unit') return slicesOf(entry).some(({ unit }) => accepts(part, unit))
      return part.by.startsWith('tag.') ? accepts(part, callValue(entry, part.by, undefined)) : true
    })

  return (filter: EntryFilter, page: Page): EntryPage => {
    const limit = limitOf(page)
    const { at, id } = page.after === undefined ? { at: filter.from, id: '' } : parseEntryCursor(page.after)
    const where = [
      'e.kind < 2',
      'e.at >= ?',
      'e.at < ?',
      '(e.at > ? OR e.id > ?)',
      ...(filter.withUncounted ? [] : ['e.counted = 1']),
      ...conditionsOf(filter),
    ]
    const select = database.prepare(`${selectEntries} WHERE ${where.join(' AND ')} ORDER BY e.at, e.id`)
    const after = id === '' ? new Uint8Array(0) : parseId(id)
    const period = { from: Math.max(filter.from, at), to: filter.to }
    const entries: CallEntry[] = []
    for (const { from, to } of spansOf(database, filter.where, values, period) ?? [period]) {
      for (const row of select.iterate(from, to, at, after)) {
        const entry = readRow(row).entry as CallEntry
        if (!passes(entry, filter)) continue
        const last = entries.at(-1)?.event
        if (entries.length === limit && last !== undefined) return { entries, next: `${last.at}:${last.id}` }
        entries.push(entry)
      }
    }
    return { entries }
  }
}
