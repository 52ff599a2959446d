import type { Answer, AnswerRow, Value } from '../core/answer.ts'
import { bases } from '../core/charge.ts'
import { parseUsd } from '../core/money.ts'
import type { Question } from '../core/question.ts'
import { grouped, readableChange, readableUsd } from '../core/readable.ts'
import { csvCell } from './csv.ts'
import { markedFigure, totalsRow } from './figures.ts'
import { type Column, textTable } from './text-table.ts'

/** A question and its answer as a table for a terminal: the rows, the total, and how sure the total is. */
export const reportText = (question: Question, answer: Answer): string => {
  const columns: readonly Column[] = [
    ...(question.interval === undefined ? [] : [{ title: question.interval }]),
    ...question.by.map((title) => ({ title })),
    ...question.measures.map((title) => ({ title, align: 'right' as const })),
  ]
  const rows = answer.rows.map((row) => [
    ...(question.interval === undefined ? [] : [String(row.bucket)]),
    ...question.by.map((name) => nameOf(row, name)),
    ...figuresOf(question, row),
  ])
  const total = [
    ...(question.interval === undefined ? [] : ['total']),
    ...question.by.map((_, index) => (index === 0 && question.interval === undefined ? 'total' : '')),
    ...figuresOf(question, totalsRow(answer)),
  ]
  return `${textTable(columns, question.by.length + columns.length === question.measures.length ? [total] : [...rows, total])}\n\n${coverageText(answer)}`
}

const nameOf = (row: AnswerRow, name: string): string => (row[name] === null ? '(none)' : String(row[name]))

const figuresOf = (question: Question, row: AnswerRow): readonly string[] => question.measures.map((measure) => markedFigure(measure, row))

/** Rows of an answer beside the same rows of the answer that it is compared with; those that are only in the other one last. */
const pairsOf = (question: Question, answer: Answer, previous: Answer) => {
  const keyOf = (row: AnswerRow): string => JSON.stringify(question.by.map((name) => row[name] ?? null))
  const before = new Map(previous.rows.map((row) => [keyOf(row), row]))
  const now = new Set(answer.rows.map(keyOf))
  return [
    ...answer.rows.map((row) => ({ names: row, now: row, before: before.get(keyOf(row)) })),
    ...previous.rows.filter((row) => !now.has(keyOf(row))).map((row) => ({ names: row, now: undefined, before: row })),
  ]
}

/** The first measure of each row against the same row of the answer that it is compared with. */
export const comparedText = (question: Question, answer: Answer, previous: Answer): string => {
  const [measure = 'cost'] = question.measures
  // A row that is missing where others are folded is among those, with an amount that is not told.
  const isFolded = ({ rows }: Answer): boolean => rows.some((row) => row.folded !== undefined)
  const [mayHide, mayHaveHidden] = [isFolded(answer), isFolded(previous)]
  const cells = (now: AnswerRow | undefined, before: AnswerRow | undefined) => [
    before === undefined && mayHaveHidden ? 'in other' : markedFigure(measure, before),
    now === undefined && mayHide ? 'in other' : markedFigure(measure, now),
    (now === undefined && mayHide) || (before === undefined && mayHaveHidden) ? '' : changeOf(before?.[measure], now?.[measure]),
  ]
  const rows = pairsOf(question, answer, previous).map((pair) => [
    ...question.by.map((name) => nameOf(pair.names, name)),
    ...cells(pair.now, pair.before),
  ])
  const total = [...question.by.map((_, index) => (index === 0 ? 'total' : '')), ...cells(totalsRow(answer), totalsRow(previous))]
  const columns: readonly Column[] = [
    ...question.by.map((title) => ({ title })),
    { title: `${measure} before`, align: 'right' },
    { title: 'now', align: 'right' },
    { title: 'change', align: 'right' },
  ]
  return textTable(columns, question.by.length === 0 ? [total] : [...rows, total])
}

/** From ten times as much on a percentage is no help. */
const changeOf = (before: Value | undefined, after: Value | undefined): string => {
  const [was = 0n, is = 0n] = [before, after].map((value) => parseUsd(String(value ?? '0')) ?? 0n)
  if (was > 0n && is >= was * 10n) return `× ${grouped(String((is + was / 2n) / was))}`
  return readableChange(was, is) ?? (is === 0n ? '±0 %' : 'new')
}

/** How sure a total is, in words. What is unpriced is said first: the total leaves it out. */
export const coverageText = (answer: Pick<Answer, 'coverage'>): string => {
  const said = bases.filter((basis) => answer.coverage[basis].calls > 0)
  if (said.length === 0) return 'No calls in this period.'
  const calls = said.reduce((sum, basis) => sum + answer.coverage[basis].calls, 0)
  const parts = said.map((basis) => {
    const { calls: count, cost } = answer.coverage[basis]
    return basis === 'unpriced' ? `${count} unpriced (not in the total)` : `${count} ${basis} ${readableUsd(cost)}`
  })
  return `Coverage of ${calls} ${calls === 1 ? 'call' : 'calls'}: ${parts.join(' · ')}`
}

/** The same answer as CSV (RFC 4180), exact. */
export const reportCsv = (question: Question, answer: Answer): string => {
  const columns = [...(question.interval === undefined ? [] : ['bucket']), ...question.by, ...question.measures]
  return `${[columns, ...answer.rows.map((row) => columns.map((column) => String(row[column] ?? '')))].map((row) => row.map(csvCell).join(',')).join('\r\n')}\r\n`
}

/** The same as CSV: every measure, and beside it what it was. */
export const comparedCsv = (question: Question, answer: Answer, previous: Answer): string => {
  const head = [...question.by, ...question.measures.flatMap((measure) => [measure, `${measure}Before`])]
  const rows = pairsOf(question, answer, previous).map(({ names, now, before }) => [
    ...question.by.map((name) => String(names[name] ?? '')),
    ...question.measures.flatMap((measure) => [String(now?.[measure] ?? ''), String(before?.[measure] ?? '')]),
  ])
  return `${[head, ...rows].map((row) => row.map(csvCell).join(',')).join('\r\n')}\r\n`
}
