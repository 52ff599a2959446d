import { existsSync, statSync } from 'node:fs'
import type { Answer } from '../../core/answer.ts'
import { TaximeterError } from '../../core/errors.ts'
import type { Question } from '../../core/question.ts'
import type {
  EntryFilter,
  EntryPage,
  Followed,
  Page,
  RunDetail,
  RunFilter,
  RunPage,
  SessionFilter,
  SessionPage,
  StoreDescription,
} from '../store.ts'
import { askRollups } from './ask.ts'
import type { CallSources } from './ask-calls.ts'
import type { RunSources } from './ask-runs.ts'
import { createLocalTexts, createValues } from './axes.ts'
import type { Database } from './database.ts'
import { createEntryPages } from './entry-pages.ts'
import { createNames, createTexts } from './names.ts'
import { createRawRows } from './raw-rows.ts'
import { createChargeReader, createRowReader, selectEntries } from './rows.ts'
import { createRunPages } from './run-pages.ts'
import { sessionPage } from './session-pages.ts'

/** What a reading thread answers. */
export interface Reader {
  ask(question: Question): Answer
  runs(filter: RunFilter, page: Page): RunPage
  run(id: string): RunDetail | undefined
  sessions(filter: SessionFilter, page: Page): SessionPage
  entries(filter: EntryFilter, page: Page): EntryPage
  tail(after: string, limit: number): readonly Followed[]
  head(): string
  describe(): StoreDescription
}

export const createReader = (database: Database, path: string): Reader => {
  const names = createNames(database)
  const cards = createTexts(database, 'cards')
  const readRow = createRowReader(names, cards)
  const readCharge = createChargeReader(cards)
  const runPages = createRunPages(database, names, readRow)
  const entryPages = createEntryPages(database, names, readRow)
  const lastSeq = database.prepare('SELECT max(seq) FROM entries')
  const tail = database.prepare(`${selectEntries} WHERE e.seq > ? ORDER BY e.seq LIMIT ?`)

  /** All that one answer is made of is read from one state of the file, whatever is written meanwhile. */
  const atOnce = <Value>(read: () => Value): Value => {
    database.exec('BEGIN')
    try {
      return read()
    } finally {
      database.exec('COMMIT')
    }
  }

  /** Values of tags have numbers for the length of one answer, so that a reader does not gather them. */
  const sourcesOf = (): CallSources & RunSources => {
    const local = createLocalTexts()
    return { database, values: createValues(names, local), raw: createRawRows(database, names, local, readCharge), readRow }
  }

  return {
    ask: (question) => atOnce(() => askRollups(question, sourcesOf())),
    runs: (filter, page) => atOnce(() => runPages.page(filter, page)),
    run: (id) => atOnce(() => runPages.detail(id)),
    sessions: (filter, page) => atOnce(() => sessionPage(filter, page, sourcesOf())),
    entries: (filter, page) => atOnce(() => entryPages(filter, page)),
    tail: (after, limit) =>
      tail.all(seqOf(after), limit).map((row) => {
        const { seq, entry, isCounted } = readRow(row)
        return { cursor: String(seq), entry, isCounted }
      }),
    head: () => String(lastSeq.get()?.[0] ?? 0),
    describe: () => ({
      engine: 'sqlite',
      version: String(database.prepare('SELECT sqlite_version()').get()?.[0]),
      place: path,
      schema: Number(database.prepare('PRAGMA user_version').get()?.[0]),
      entries: Number(lastSeq.get()?.[0] ?? 0),
      bytes: [path, `${path}-wal`].reduce((bytes, file) => bytes + (existsSync(file) ? statSync(file).size : 0), 0),
      settings: { journal: String(database.prepare('PRAGMA journal_mode').get()?.[0]) },
    }),
  }
}

const seqOf = (cursor: string): number => {
  if (!/^\d{1,15}$/.test(cursor)) throw new TaximeterError('BAD_REQUEST', `"${cursor.slice(0, 40)}" is not a cursor of this ledger.`)
  return Number(cursor)
}
