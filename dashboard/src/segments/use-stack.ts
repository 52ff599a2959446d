import type { UseQueryResult } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { QueryAnswer } from '../../../src/server/api.ts'
import type { ApiError } from '../api/client.ts'
import { type QuestionInput, useQuestion } from '../api/use-question.ts'
import { seriesMax } from '../charts/palette.ts'
import { type Interval, intervalFor } from '../state/buckets.ts'
import { measureInfo } from '../state/measures.ts'
import { filterText } from '../state/view.ts'
import { type Stack, stackOf, wholeOf } from './stack-of.ts'

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

/** Attributes that may have a million values: their largest are found first, and only these are asked for over time. */
const wide: ReadonlySet<string> = new Set(['session', 'run', 'user', 'key', 'step'])

/**
 * A measure over time, stacked by an attribute: the largest values have a layer each and the rest is what the whole leaves, so that
 * an attribute with a million values costs no more than one with five, and the layers always add up to the whole.
 */
export const useStack = ({ by, measure, interval, where = [] }: StackInput, range: { from: number; to: number }): StackQuery => {
  const info = measureInfo(measure)
  const cut = interval ?? intervalFor(range.from, range.to)
  const totals = useQuestion({ measures: [measure], by: [by], top: seriesMax, where, isCompared: true })
  const named = (totals.data?.rows ?? []).filter((row) => row.folded === undefined).map((row) => row[by] as string | null)
  const isWide = wide.has(by) || by.startsWith('tag.')
  const parts: QuestionInput = isWide
    ? { measures: [measure], by: [by], interval: cut, where: [...where, filterText({ by, values: named, isNot: false })] }
    : { measures: [measure], by: [by], interval: cut, where, top: seriesMax }
  const layered = useQuestion({ ...parts, isEnabled: !isWide || named.length > 0 })
  // The layers of a sum add up to the whole, the others among them: there is no need to ask for it.
  const isSummed = info.isSum && !isWide
  const asked = useQuestion({ measures: [measure], interval: cut, where, isEnabled: !isSummed })
  const whole = useMemo(
    () => (isSummed && layered.data !== undefined ? wholeOf(info, layered.data) : asked.data),
    [isSummed, info, layered.data, asked.data],
  )
  const data = useMemo(
    () => stackOf({ by, info, interval: cut, totals: totals.data, layered: isWide && named.length === 0 ? whole : layered.data, whole }),
    [by, info, cut, totals.data, layered.data, whole, isWide, named.length],
  )
  const queries: readonly UseQueryResult<QueryAnswer, ApiError>[] = [totals, layered, ...(isSummed ? [] : [asked])]
  return {
    data,
    error: data === undefined ? (queries.find((query) => query.error !== null)?.error ?? null) : null,
    isStale: queries.some((query) => query.isPlaceholderData),
    refetch: () => {
      for (const query of queries) void query.refetch()
    },
  }
}
