import { type Answer, answerOf } from '../../core/answer.ts'
import { accepts, asksForUnits, callValue, isOfRun, runValue, type Slice, slicesOf, wholeOf } from '../../core/attribute-values.ts'
import type { CallEntry } from '../../core/event.ts'
import type { Filter, Question } from '../../core/question.ts'
import { startOf } from '../../core/window.ts'
import { asksForCalls, asksForRuns, groupsOf } from '../groups.ts'
import { latencyBin } from '../latency.ts'
import type { RunSummary } from '../store.ts'
import { addCall, addTallies, addToRun, createTally, finish, runPartOf, type Tally } from './tally.ts'

export interface Book {
  readonly calls: readonly CallEntry[]
  readonly runs: ReadonlyMap<string, { readonly summary: RunSummary; readonly calls: readonly CallEntry[] }>
}

/** The answer from raw entries: slow, plain, and what every other store's answer is held against. */
export const askRaw = (question: Question, book: Book): Answer => {
  const tallies = new Map<string, Tally>()
  const total = createTally(undefined, [])
  const tallyFor = (at: number, key: readonly (string | null)[]): Tally => {
    const bucket = question.interval === undefined ? undefined : startOf(question.interval, at, question.zone)
    const name = JSON.stringify([bucket, key])
    let tally = tallies.get(name)
    if (tally === undefined) tallies.set(name, (tally = createTally(bucket, key)))
    return tally
  }
  sumCalls(question, book, total, asksForCalls(question) ? tallyFor : () => createTally(undefined, []))
  if (asksForRuns(question)) sumRuns(question, book, total, tallyFor)
  const found = [...tallies.values()].map((tally) => ({ bucket: tally.bucket, key: tally.key, sums: finish(tally, question), tally }))
  const groups = groupsOf(question, found, (rest) => finish(addTallies(rest.map(({ tally }) => tally)), question))
  return answerOf(question, groups, finish(total, question))
}

type TallyFor = (at: number, key: readonly (string | null)[]) => Tally

const sumCalls = (question: Question, book: Book, total: Tally, tallyFor: TallyFor): void => {
  for (const entry of book.calls) {
    const { at, run, durationMs } = entry.event
    if (at < question.from || at >= question.to) continue
    const summary = run === undefined ? undefined : book.runs.get(run)?.summary
    const slices = slicesIn(entry, question, question.where, summary)
    if (slices.length === 0) continue
    const parts = new Map<string, { readonly key: readonly (string | null)[]; readonly slices: Slice[] }>()
    for (const slice of slices) {
      const key = question.by.map((by) => (by === 'unit' ? slice.unit : callValue(entry, by, summary)))
      const name = JSON.stringify(key)
      const part = parts.get(name)
      if (part === undefined) parts.set(name, { key, slices: [slice] })
      else part.slices.push(slice)
    }
    const touched = [...parts.values()].map((part) => ({ tally: tallyFor(at, part.key), inside: part.slices as readonly Slice[] }))
    for (const { tally, inside } of [...touched, { tally: total, inside: slices }]) {
      addCall(tally, entry, inside)
      if (durationMs === undefined) continue
      const bin = latencyBin(durationMs)
      tally.latency.set(bin, (tally.latency.get(bin) ?? 0) + 1)
    }
  }
}

/** The slices of a call that pass the filters: all or none, unless a filter names units. */
const slicesIn = (entry: CallEntry, question: Question, where: readonly Filter[], run: RunSummary | undefined): readonly Slice[] => {
  for (const filter of where) if (filter.by !== 'unit' && !accepts(filter, callValue(entry, filter.by, run))) return []
  if (!asksForUnits(question)) return [wholeOf(entry)]
  const units = where.filter(({ by }) => by === 'unit')
  return slicesOf(entry).filter((slice) => units.every((filter) => accepts(filter, slice.unit)))
}

const sumRuns = (question: Question, book: Book, total: Tally, tallyFor: TallyFor): void => {
  const ofCalls = question.where.filter(({ by }) => !isOfRun(by))
  const looksInside = ofCalls.length > 0 || question.by.some((by) => !isOfRun(by))
  for (const { summary, calls } of book.runs.values()) {
    if (summary.startedAt < question.from || summary.startedAt >= question.to) continue
    if (!question.where.every((filter) => !isOfRun(filter.by) || accepts(filter, runValue(summary, filter.by)))) continue
    if (!looksInside) {
      const tally = tallyFor(
        summary.startedAt,
        question.by.map((by) => runValue(summary, by)),
      )
      for (const into of [tally, total]) runPartOf(into, summary.run)
    }
    for (const entry of calls) {
      for (const slice of slicesIn(entry, question, ofCalls, undefined)) {
        const key = question.by.map((by) =>
          by === 'unit' ? slice.unit : isOfRun(by) ? runValue(summary, by) : callValue(entry, by, summary),
        )
        for (const into of [tallyFor(summary.startedAt, key), total]) addToRun(runPartOf(into, summary.run), entry, [slice])
      }
    }
  }
}
