import type { UseQueryResult } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { Answer, AnswerRow, QueryAnswer } from '../../../src/server/api.ts'
import type { ApiError } from '../api/client.ts'
import { type QuestionInput, useQuestion } from '../api/use-question.ts'
import { seriesColor, seriesMax } from '../charts/palette.ts'
import { restOf, sumOf } from '../format/sums.ts'
import { bucketsOf, type Interval, intervalFor } from '../state/buckets.ts'
import { type Figure, type MeasureInfo, measureInfo, valueText } from '../state/measures.ts'
import { filterText } from '../state/view.ts'

/** One colour of a stacked chart: a value of the attribute, or all the values that have no colour of their own. */
export interface Layer {
  readonly name: string
  /** `undefined`: the rest. */
  readonly value: string | null | undefined
  readonly color: string
  readonly total: Figure
  readonly before: Figure
  readonly values: readonly Figure[]
}

export interface Stack {
  readonly info: MeasureInfo
  readonly interval: Interval
  readonly starts: readonly number[]
  readonly layers: readonly Layer[]
  /** Of each bucket, over all layers. */
  readonly wholes: readonly Figure[]
  readonly answer: QueryAnswer
}

export interface StackQuery {
  readonly data: Stack | undefined
  readonly error: ApiError | null
  readonly isStale: boolean
  refetch(): void
}

export interface StackInput {
  readonly by: string
  readonly measure: string
  readonly interval?: Interval | undefined
  readonly where?: readonly string[]
}

/**
 * A measure over time, stacked by an attribute: the largest values have a layer each and the rest is what the whole leaves, so that
 * an attribute with a million values costs no more than one with five, and the layers always add up to the whole.
 */
export const useStack = ({ by, measure, interval, where = [] }: StackInput, range: { from: number; to: number }): StackQuery => {
  const info = measureInfo(measure)
  const cut = interval ?? intervalFor(range.from, range.to)
  const totals = useQuestion({ measures: [measure], by: [by], top: seriesMax, where, isCompared: true })
  const named = (totals.data?.rows ?? []).filter((row) => row.folded === undefined).map((row) => row[by] as string | null)
  const parts: QuestionInput = {
    measures: [measure],
    by: [by],
    interval: cut,
    where: [...where, filterText({ by, values: named, isNot: false })],
    isEnabled: named.length > 0,
  }
  const layered = useQuestion(parts)
  const whole = useQuestion({ measures: [measure], interval: cut, where })
  const data = useMemo(
    () =>
      stackOf({ by, info, interval: cut, totals: totals.data, layered: named.length === 0 ? whole.data : layered.data, whole: whole.data }),
    [by, info, cut, totals.data, layered.data, whole.data, named.length],
  )
  const queries: readonly UseQueryResult<QueryAnswer, ApiError>[] = [totals, layered, whole]
  return {
    data,
    error: data === undefined ? (queries.find((query) => query.error !== null)?.error ?? null) : null,
    isStale: queries.some((query) => query.isPlaceholderData),
    refetch: () => {
      for (const query of queries) void query.refetch()
    },
  }
}

interface StackParts {
  readonly by: string
  readonly info: MeasureInfo
  readonly interval: Interval
  readonly totals: QueryAnswer | undefined
  readonly layered: Answer | undefined
  readonly whole: Answer | undefined
}

const stackOf = ({ by, info, interval, totals, layered, whole }: StackParts): Stack | undefined => {
  if (totals === undefined || layered === undefined || whole === undefined) return undefined
  const starts = bucketsOf(interval, Date.parse(whole.from), Date.parse(whole.to), whole.tz)
  const places = new Map(starts.map((start, index) => [start, index]))
  const spread = (rows: readonly AnswerRow[]): readonly Figure[] => {
    const values: Figure[] = starts.map(() => (info.isSum ? (info.form === 'usd' ? '0' : 0) : null))
    for (const row of rows) {
      const place = places.get(Date.parse(row.bucket ?? ''))
      if (place !== undefined) values[place] = row[info.name]
    }
    return values
  }
  const before = new Map((totals.previous?.rows ?? []).map((row) => [row[by], row[info.name]]))
  const wholes = spread(whole.rows)
  const layers: Layer[] = totals.rows
    .filter((row) => row.folded === undefined)
    .map((row, place) => ({
      name: valueText(by, row[by]),
      value: row[by] as string | null,
      color: seriesColor(place),
      total: row[info.name],
      before: before.get(row[by] ?? null),
      values: spread(layered.rows.filter((each) => (each[by] ?? null) === (row[by] ?? null))),
    }))
  const folded = totals.rows.find((row) => row.folded !== undefined)
  if (folded !== undefined && info.isSum) {
    const values = wholes.map((sum, index) =>
      restOf(
        info,
        sum,
        layers.map((layer) => layer.values[index]),
      ),
    )
    layers.push({
      name: `${folded.folded?.toLocaleString('en-US')} others`,
      value: undefined,
      color: seriesColor(-1),
      total: sumOf(info, [folded[info.name]]),
      before: undefined,
      values,
    })
  }
  return { info, interval, starts, layers, wholes, answer: totals }
}
