import { randomUUID } from 'node:crypto'
import type { CallEntry } from '../../core/event.ts'
import { hashMax } from '../../core/text-hash.ts'
import { admitReport, correctionOf } from '../admission.ts'
import { createBatch } from './batch.ts'
import type { Database, Row } from './database.ts'
import { createInbox, type Inbox } from './inbox.ts'
import { createNames, createTexts } from './names.ts'
import { createRollup } from './rollup.ts'
import { createRowReader, entryColumns, insertEntry, type KeptEntry, parseId, selectEntries } from './rows.ts'
import { createRunBook, parseRecord } from './run-book.ts'
import { createWhereabouts } from './whereabouts.ts'
import { createEncoder, type Encoder, type Form, type Parcel, slot } from './wire.ts'

/** What came of a parcel, entry by entry. */
export interface Kept {
  /** 0 accepted, 1 duplicate, 2 joined. */
  readonly outcomes: Uint8Array
  /** What entered and left the totals, where that is not the entry alone. */
  readonly changes: readonly Change[]
  /** The last entry's place in the order of keeping. */
  readonly head: number
}

export interface Change {
  readonly index: number
  readonly counted: CallEntry
  readonly uncounted: CallEntry
}

export interface Writer {
  /** One transaction: all of it is durable when this returns, and nothing of it is there when it throws. */
  append(parcel: Parcel): Kept
}

export interface WriterOptions {
  /** Makes the numbers of call keys; must be the sender's. */
  readonly encoder?: Encoder
  /** Called inside every transaction, before it ends: tests have it fail. */
  readonly onCommit?: () => void
}

const callColumn = entryColumns.indexOf('call')

export const createWriter = (database: Database, options: WriterOptions = {}): Writer => {
  const names = createNames(database)
  const cards = createTexts(database, 'cards')
  const inbox = createInbox(names, cards)
  const made = createInbox(names, cards)
  const encoder = options.encoder ?? createEncoder()
  const readRow = createRowReader(names, cards)
  const rollup = createRollup(database)
  const runs = createRunBook(database, names)
  const whereabouts = createWhereabouts(database)
  const batch = createBatch()
  const statements = statementsOf(database)
  const me = randomUUID()
  const owners = new Int32Array(13)
  let seq: number | undefined
  let version: unknown

  /** Another process may have written since our last transaction: then nothing remembered can be trusted. */
  const meetOthers = (): void => {
    const now = statements.version.get()?.[0]
    if (now === version && seq !== undefined) return
    if (statements.writer.get()?.[0] !== me) {
      forget()
      statements.putWriter.run(me)
    }
    version = now
    seq ??= Number(statements.last.get()?.[0] ?? 0)
  }

  const forget = (): void => {
    rollup.forget()
    runs.forget()
    whereabouts.forget()
    seq = undefined
  }

  /** Keeps the entry at the cursor; false when its id, or as a counted entry its call, is there already. */
  const keep = (box: Inbox, isCounted: boolean, call: number): boolean => {
    const next = (seq ?? 0) + 1
    if (statements.insert.run(...box.row(next, isCounted, call)).changes !== 1) return false
    seq = next
    const at = box.numbers[box.base + slot.at] as number
    whereabouts.note('session', box.attributes[sessionPlace] as number, at)
    whereabouts.note('user', box.attributes[userPlace] as number, at)
    return true
  }

  /** Adds the entry at the cursor to the totals, or takes it out. */
  const count = (sign: 1 | -1, box: Inbox, at: number): void => {
    const { attributes } = box
    for (let index = 0; index < 3; index++) owners[index] = box.nameAt(slot.provider + index)
    for (const [index, place] of ownerPlaces.entries()) owners[3 + index] = attributes[place] as number
    batch.add(sign, box.numbers, box.base, owners)
    const run = attributes[runPlace] as number
    if (run !== 0) runs.call(sign, run, at, box.numbers, box.base, attributes)
  }

  /** An entry that was made here or read from the file goes the same way as one that came in. */
  const openMade = (entry: CallEntry, form: Form): void => {
    made.open(encoder.encode([entry], form))
    made.next()
  }

  const keepMade = (entry: CallEntry, form: Form, call: number): void => {
    openMade(entry, form)
    if (!keep(made, true, call)) throw new Error(`The entry ${entry.event.id} is there already`)
    count(1, made, seq ?? 0)
  }

  const takeOut = (kept: KeptEntry): void => {
    statements.setCounted.run(0, kept.seq)
    openMade(kept.entry as CallEntry, kept.form)
    count(-1, made, kept.seq)
  }

  const appendRecord = (): number => {
    if (!keep(inbox, true, Number.NaN)) return 1
    const { attributes, numbers, base } = inbox
    const told = parseRecord(inbox.textAt(slot.extra), names.idOf)
    runs.record(attributes[runPlace] as number, seq ?? 0, numbers[base + slot.at] as number, told, attributes)
    return 0
  }

  const appendCall = (index: number, changes: Change[]): number => {
    if (inbox.numbers[inbox.base + slot.form] === 2) return correct(index, changes)
    for (let call = inbox.numbers[inbox.base + slot.call] as number; ; call = (call + 1) % hashMax) {
      if (keep(inbox, true, call)) {
        count(1, inbox, seq ?? 0)
        return 0
      }
      if (statements.byId.get(inbox.id()) !== undefined) return 1
      const row = statements.counted.get(call)
      if (row === undefined) throw new Error('An entry was neither kept nor there already')
      const standing = readRow(row)
      const entry = entryAt(inbox, call)
      // Two keys can have one number: the next one is tried then.
      if (isSameCall(standing.entry as CallEntry, entry)) return join(standing, entry, call, index, changes)
    }
  }

  const entryAt = (box: Inbox, call: number): CallEntry => readRow(box.row(0, false, call) as Row).entry as CallEntry

  const join = (standing: KeptEntry, entry: CallEntry, call: number, index: number, changes: Change[]): number => {
    const counted = standing.entry as CallEntry
    const kept = [standing, ...statements.others.all(call).map(readRow)]
    const originals = kept.filter(({ form }) => form === 0).map((other) => other.entry as CallEntry)
    const admission = admitReport({ counted, isCorrected: standing.form === 2, originals }, entry)
    if (admission.counted === undefined) {
      keep(inbox, false, call)
      return 1
    }
    takeOut(standing)
    keep(inbox, admission.joined === undefined, call)
    if (admission.joined === undefined) count(1, inbox, seq ?? 0)
    else keepMade(admission.joined, 1, call)
    changes.push({ index, counted: admission.counted, uncounted: counted })
    return 2
  }

  const correct = (index: number, changes: Change[]): number => {
    const entry = entryAt(inbox, Number.NaN)
    if (statements.byId.get(inbox.id()) !== undefined) return 1
    const row = entry.corrects === undefined ? undefined : statements.byId.get(parseId(entry.corrects))
    const target = row === undefined ? undefined : readRow(row)
    if (row === undefined || target === undefined || !target.isCounted) return 1
    const correction = target.entry.event.kind === 'run' ? undefined : correctionOf(target.entry as CallEntry, entry)
    if (correction === undefined) return 1
    takeOut(target)
    const call = row[callColumn]
    keepMade(correction, 2, typeof call === 'number' ? call : Number.NaN)
    changes.push({ index, counted: correction, uncounted: target.entry as CallEntry })
    return 0
  }

  const write = (parcel: Parcel): Kept => {
    const outcomes = new Uint8Array(parcel.count)
    const changes: Change[] = []
    meetOthers()
    for (let index = 0; index < parcel.count; index++) {
      inbox.next()
      outcomes[index] = inbox.numbers[inbox.base] === 2 ? appendRecord() : appendCall(index, changes)
    }
    rollup.add(batch)
    runs.flush()
    whereabouts.flush()
    options.onCommit?.()
    return { outcomes, changes, head: seq ?? 0 }
  }

  return {
    append(parcel) {
      inbox.open(parcel)
      try {
        database.exec('BEGIN IMMEDIATE')
        const kept = write(parcel)
        database.exec('COMMIT')
        for (const table of [names, cards]) table.commit()
        return kept
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK')
        for (const remembered of [names, cards, inbox, made]) remembered.rollback()
        forget()
        throw error
      } finally {
        batch.clear()
      }
    },
  }
}

const runPlace = 2
const sessionPlace = 1
const userPlace = 8
/** agent, task, release, environment, team, session, run, user and key among the attributes of a call. */
const ownerPlaces = [0, 4, 5, 6, 7, 1, 2, 8, 9]

const isSameCall = (left: CallEntry, right: CallEntry): boolean =>
  left.event.kind === right.event.kind && left.event.callKey === right.event.callKey

const statementsOf = (database: Database) => ({
  insert: database.prepare(insertEntry),
  byId: database.prepare(`${selectEntries} WHERE e.id = ?`),
  counted: database.prepare(`${selectEntries} WHERE e.call = ? AND e.counted = 1`),
  others: database.prepare(`${selectEntries} WHERE e.call = ? AND e.counted = 0 AND e.call IS NOT NULL`),
  setCounted: database.prepare('UPDATE entries SET counted = ? WHERE seq = ?'),
  last: database.prepare('SELECT max(seq) FROM entries'),
  version: database.prepare('PRAGMA data_version'),
  writer: database.prepare("SELECT value FROM ledger WHERE name = 'writer'"),
  putWriter: database.prepare("INSERT OR REPLACE INTO ledger (name, value) VALUES ('writer', ?)"),
})
