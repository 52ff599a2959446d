import { type Answer, type AnswerRow, doubtful, isMoney, type Value } from '../core/answer.ts'
import type { Measure } from '../core/question.ts'
import { grouped, readableUsd } from '../core/readable.ts'

/** How a person reads a figure in a terminal. "–" is "not defined", which is never shown as zero. */
export const figure = (measure: Measure | string, value: Value | undefined): string => {
  if (value === null || value === undefined) return '–'
  if (isMoney(measure)) return readableUsd(String(value))
  if (measure === 'efficiency') return Number(value).toFixed(3)
  if (measure === 'cacheHitRate') return `${(Number(value) * 100).toFixed(1)} %`
  if (measure.startsWith('latency')) return `${Math.round(Number(value))} ms`
  return typeof value === 'number' ? grouped(Number.isInteger(value) ? String(value) : value.toFixed(1)) : grouped(value)
}

/** A figure of a row with what its row says of it: "unpriced" where no cost is known, "≥" before a lower bound, "≈" before an estimate. */
export const markedFigure = (measure: Measure | string, row: AnswerRow | undefined): string => {
  const value = row?.[measure]
  if (row === undefined || !isMoney(measure)) return figure(measure, value)
  if (value === null && row.unpricedCalls !== undefined) return 'unpriced'
  const mark = row.unpricedCalls !== undefined || row.partialCalls !== undefined ? '≥ ' : row.estimatedCalls !== undefined ? '≈ ' : ''
  return value === null || value === undefined ? figure(measure, value) : mark + figure(measure, value)
}

/** The totals in the form of a row, with the marks that their coverage gives them. */
export const totalsRow = ({ totals, coverage }: Pick<Answer, 'totals' | 'coverage'>): AnswerRow => ({
  ...totals,
  ...Object.fromEntries(doubtful.flatMap((basis) => (coverage[basis].calls > 0 ? [[`${basis}Calls`, coverage[basis].calls]] : []))),
})
