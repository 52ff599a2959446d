import { accepts, callValue, isOfRun, runValue, slicesOf } from '../../core/attribute-values.ts'
import { TaximeterError } from '../../core/errors.ts'
import type { CallEntry, Entry, RunRecord } from '../../core/event.ts'
import type { Filter } from '../../core/question.ts'
import { admitReport, correctionOf, joinKeyOf, type KnownCall } from '../admission.ts'
import { afterCursor, listPage, rankOfRun } from '../pages.ts'
import { byTime, runSummaryOf } from '../run-summary.ts'
import { type Appended, type EntryPage, pageLimitMax, type RunPage, type RunSummary, runCallsMax, type Store } from '../store.ts'
import { askRaw, type Book } from './ask.ts'
import { sessionPageOf } from './sessions.ts'

interface Kept {
  readonly seq: number
  readonly entry: Entry
  isCounted: boolean
}

interface Call {
  counted: Kept
  isCorrected: boolean
  readonly originals: CallEntry[]
}

/** A ledger in memory that answers from its raw entries, for tests and for trying things out: the plainest reading of the contract. */
export const memoryStore = (): Store => {
  const kept: Kept[] = []
  const byId = new Map<string, Kept>()
  const callOf = new Map<Kept, Call>()
  const calls = new Map<string, Call>()
  const waiting = new Set<() => void>()
  let isClosed = false
  let book: (Book & { readonly runs: Map<string, { readonly summary: RunSummary; readonly calls: CallEntry[] }> }) | undefined

  const keep = (entry: Entry, isCounted: boolean): Kept => {
    const row = { seq: kept.length + 1, entry, isCounted }
    kept.push(row)
    byId.set(entry.event.id, row)
    return row
  }

  const appendOne = (entry: Entry): Appended => {
    const { id } = entry.event
    if (byId.has(id)) return { id, outcome: 'duplicate' }
    if (!isCall(entry)) {
      keep(entry, true)
      return { id, outcome: 'accepted' }
    }
    if (entry.corrects !== undefined) return correct(entry, entry.corrects)
    const key = joinKeyOf(entry) ?? id
    const known = calls.get(key)
    if (known === undefined) {
      const call = { counted: keep(entry, true), isCorrected: false, originals: [entry] }
      calls.set(key, call)
      callOf.set(call.counted, call)
      return { id, outcome: 'accepted', counted: entry }
    }
    const admission = admitReport(knownOf(known), entry)
    const row = keep(entry, false)
    known.originals.push(entry)
    if (admission.counted === undefined) return { id, outcome: 'duplicate' }
    const uncounted = known.counted.entry as CallEntry
    known.counted.isCounted = false
    known.counted = admission.joined === undefined ? row : keep(admission.joined, true)
    known.counted.isCounted = true
    callOf.set(known.counted, known)
    return { id, outcome: 'joined', counted: admission.counted, uncounted }
  }

  const correct = (entry: CallEntry, targetId: string): Appended => {
    const { id } = entry.event
    const target = byId.get(targetId)
    const correction = target?.isCounted && isCall(target.entry) ? correctionOf(target.entry, entry) : undefined
    if (target === undefined || correction === undefined) return { id, outcome: 'duplicate' }
    const uncounted = target.entry as CallEntry
    const call = callOf.get(target)
    target.isCounted = false
    const row = keep(correction, true)
    if (call !== undefined) {
      call.counted = row
      call.isCorrected = true
      callOf.set(row, call)
    }
    return { id, outcome: 'accepted', counted: correction, uncounted }
  }

  const bookNow = () => {
    if (book !== undefined) return book
    const parts = new Map<string, { records: RunRecord[]; calls: CallEntry[] }>()
    const counted: CallEntry[] = []
    for (const { entry, isCounted } of kept) {
      if (!isCounted) continue
      const run = entry.event.run
      let part = run === undefined ? undefined : parts.get(run)
      if (run !== undefined && part === undefined) parts.set(run, (part = { records: [], calls: [] }))
      if (!isCall(entry)) part?.records.push(entry.event)
      else {
        counted.push(entry)
        part?.calls.push(entry)
      }
    }
    const runs = new Map<string, { summary: RunSummary; calls: CallEntry[] }>()
    for (const [run, part] of parts) {
      const summary = runSummaryOf(run, part.records, part.calls)
      if (summary !== undefined) runs.set(run, { summary, calls: part.calls.sort((left, right) => byTime(left.event, right.event)) })
    }
    book = { calls: counted.sort((left, right) => byTime(left.event, right.event)), runs }
    return book
  }

  const passes = (entry: CallEntry, where: readonly Filter[]): boolean => {
    const summary = entry.event.run === undefined ? undefined : bookNow().runs.get(entry.event.run)?.summary
    return where.every((filter) =>
      filter.by === 'unit'
        ? slicesOf(entry).some(({ unit }) => accepts(filter, unit))
        : accepts(filter, callValue(entry, filter.by, summary)),
    )
  }

  const open = <T>(answer: () => T): Promise<T> =>
    isClosed ? Promise.reject(new TaximeterError('LEDGER_CLOSED', 'The ledger is closed.')) : new Promise((resolve) => resolve(answer()))

  return {
    append: (batch) =>
      open(() => {
        const outcomes = batch.map(appendOne)
        book = undefined
        for (const wake of waiting) wake()
        return outcomes
      }),
    ask: (question) => open(() => askRaw(question, bookNow())),
    runs: (filter, page) =>
      open((): RunPage => {
        const inside = filter.where.filter(({ by }) => !isOfRun(by))
        const found = [...bookNow().runs.values()].filter(
          ({ summary, calls: made }) =>
            summary.startedAt >= filter.from &&
            summary.startedAt < filter.to &&
            filter.where.every((part) => !isOfRun(part.by) || accepts(part, runValue(summary, part.by))) &&
            (inside.length === 0 || made.some((entry) => passes(entry, inside))),
        )
        const listed = found.map(({ summary }) => ({ item: summary, name: summary.run, rank: rankOfRun(summary, filter.sort) }))
        const { items, next } = listPage(listed, page)
        return { runs: items, ...(next !== undefined && { next }) }
      }),
    sessions: (filter, page) =>
      open(() => {
        const entries = kept.map(({ entry }) => entry)
        return sessionPageOf(entries, bookNow(), filter, page)
      }),
    run: (id) =>
      open(() => {
        const found = bookNow().runs.get(id)
        if (found === undefined) return undefined
        const children = [...bookNow().runs.values()].filter(({ summary }) => summary.parent === id).map(({ summary }) => summary)
        return {
          summary: found.summary,
          calls: found.calls.slice(0, runCallsMax).map(({ event, charge }) => ({ call: event, charge })),
          hasMore: found.calls.length > runCallsMax,
          children: children
            .sort((left, right) => left.startedAt - right.startedAt || (left.run < right.run ? -1 : 1))
            .slice(0, pageLimitMax),
        }
      }),
    entries: (filter, page) =>
      open((): EntryPage => {
        const pool = filter.withUncounted ? kept.map(({ entry }) => entry).filter(isCall) : bookNow().calls
        const found = pool
          .filter((entry) => entry.event.at >= filter.from && entry.event.at < filter.to && passes(entry, filter.where))
          .sort((left, right) => byTime(left.event, right.event))
        return afterCursor(found, page)
      }),
    async *follow(after, signal) {
      let seq = cursorOf(after)
      while (!signal.aborted && !isClosed) {
        for (const row of kept.slice(seq)) {
          if (signal.aborted) return
          seq = row.seq
          yield { cursor: String(seq), entry: row.entry, isCounted: row.isCounted }
        }
        if (kept.length === seq && !signal.aborted && !isClosed)
          await new Promise<void>((resolve) => {
            const wake = () => {
              waiting.delete(wake)
              signal.removeEventListener('abort', wake)
              resolve()
            }
            waiting.add(wake)
            signal.addEventListener('abort', wake, { once: true })
          })
      }
    },
    head: () => open(() => String(kept.length)),
    describe: () =>
      open(() => ({ engine: 'memory', version: '1', place: 'memory', schema: 0, entries: kept.length, bytes: 0, settings: {} })),
    close: async () => {
      isClosed = true
      for (const wake of waiting) wake()
    },
  }
}

const isCall = (entry: Entry): entry is CallEntry => entry.event.kind !== 'run'

const knownOf = (call: Call): KnownCall => ({
  counted: call.counted.entry as CallEntry,
  isCorrected: call.isCorrected,
  originals: call.originals,
})

const cursorOf = (cursor: string): number => {
  if (!/^\d{1,15}$/.test(cursor)) throw new TaximeterError('BAD_REQUEST', `"${cursor.slice(0, 40)}" is not a cursor of this ledger.`)
  return Number(cursor)
}
