import type { UseQueryResult } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { QueryAnswer } from '../../../src/server/api.ts'
import type { ApiError } from '../api/client.ts'
import { useQuestion } from '../api/use-question.ts'
import { seriesMax } from '../charts/palette.ts'
import { type Interval, intervalFor } from '../state/buckets.ts'
import { measureInfo } from '../state/measures.ts'
import { filterText } from '../state/view.ts'
import { type Stack, stackOf } from './stack-of.ts'

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
 * A measure over time, stacked by an attribute: the largest values of the whole period have a layer each and the rest is what the whole
 * leaves, so that an attribute with a million values costs no more than one with five, and the layers always add up to the whole.
 */
export const useStack = ({ by, measure, interval, where = [] }: StackInput, range: { from: number; to: number }): StackQuery => {
  const info = measureInfo(measure)
  const cut = interval ?? intervalFor(range.from, range.to)
  const totals = useQuestion({ measures: [measure], by: [by], top: seriesMax, where, isCompared: true })
  const named = (totals.data?.rows ?? []).filter((row) => row.folded === undefined).map((row) => row[by] as string | null)
  const hasNames = named.length > 0
  // By name: the first of every bucket would be others than the first of the period.
  const ofNamed = hasNames ? [...where, filterText({ by, values: named, isNot: false })] : where
  const layered = useQuestion({ measures: [measure], by: [by], interval: cut, where: ofNamed, isEnabled: hasNames })
  const asked = useQuestion({ measures: [measure], interval: cut, where })
  const whole = asked.data
  const data = useMemo(
    () =>
      stackOf({
        by,
        info,
        interval: cut,
        totals: totals.data,
        layered: totals.data !== undefined && !hasNames ? whole : layered.data,
        whole,
      }),
    [by, info, cut, totals.data, layered.data, whole, hasNames],
  )
  const queries: readonly UseQueryResult<QueryAnswer, ApiError>[] = [totals, layered, asked]
  return {
    data,
    error: data === undefined ? (queries.find((query) => query.error !== null)?.error ?? null) : null,
    isStale: queries.some((query) => query.isPlaceholderData),
    refetch: () => {
      for (const query of queries) void query.refetch()
    },
  }
}
