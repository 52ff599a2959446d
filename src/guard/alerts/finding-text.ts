import type { Value } from '../../core/answer.ts'
import { formatUsd, picoUsd } from '../../core/money.ts'
import type { Breakdown, Filter, Measure, Question } from '../../core/question.ts'
import { grouped, readableUsd } from '../../core/readable.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** `null` travels as an empty value. */
export const segmentOf = (by: readonly Breakdown[], row: Readonly<Record<string, Value | undefined>>): Readonly<Record<string, string>> =>
  Object.fromEntries(by.map((name) => [name, row[name] === null || row[name] === undefined ? '' : String(row[name])]))

export const filtersOf = (segment: Readonly<Record<string, string>>): readonly Filter[] =>
  Object.entries(segment).map(([name, value]) => ({ by: name as Breakdown, values: [value === '' ? null : value] }))

export const segmentText = (segment: Readonly<Record<string, string>>): string =>
  Object.entries(segment)
    .map(([name, value]) => (value === '' ? `no ${name}` : `${name} “${value}”`))
    .join(', ') || 'All calls'

export const usd = (dollars: number): bigint => picoUsd(BigInt(Math.round(dollars * 1e12)))
const isMoney = (measure: Measure): boolean => /cost|burnRate/i.test(measure)
export const shown = (measure: Measure, value: Value): string => {
  if (value === null) return 'nothing'
  if (isMoney(measure)) return readableUsd(typeof value === 'number' ? formatUsd(usd(value)) : value)
  return grouped(typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(2) : String(value))
}
export const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`

export const spanText = (ms: number): string => {
  if (ms % dayMs === 0) return ms === dayMs ? 'day' : `${ms / dayMs} days`
  if (ms % hourMs === 0) return ms === hourMs ? 'hour' : `${ms / hourMs} hours`
  return `${Math.round(ms / 60_000)} minutes`
}

/** The parameters of a question, for `GET /v1/query` and the dashboard's address. */
export const queryOf = (question: Question): string => {
  const parameters = new URLSearchParams({
    measure: question.measures.join(','),
    from: new Date(question.from).toISOString(),
    to: new Date(question.to).toISOString(),
    tz: question.zone,
  })
  if (question.by.length > 0) parameters.set('by', question.by.join(','))
  if (question.interval !== undefined) parameters.set('interval', question.interval)
  for (const { by, values, isNot } of question.where)
    parameters.append('where', `${isNot ? '-' : ''}${by}:${values.map((value) => encodeURIComponent(value ?? '')).join(',')}`)
  return parameters.toString()
}
