import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { QueryAnswer } from '../../../src/server/api.ts'
import type { Interval } from '../state/buckets.ts'
import { type Period, previousOf, type Range, rangeOf } from '../state/period.ts'
import { useView } from '../state/use-view.ts'
import { filterText } from '../state/view.ts'
import { type ApiError, getJson } from './client.ts'
import type { Live } from './live.ts'
import { useLive } from './live-context.tsx'

/** A question as the pages put it; period, zone and filters are those of the address unless given. */
export interface QuestionInput {
  readonly measures: readonly string[]
  readonly by?: readonly string[]
  readonly interval?: Interval | undefined
  readonly top?: number | undefined
  /** Besides the filters of the address. */
  readonly where?: readonly string[]
  readonly period?: Period
  /** Ask about the period that this one is compared with as well. */
  readonly isCompared?: boolean
  readonly isEnabled?: boolean
  /** Ignore the filters of the address. */
  readonly isBare?: boolean
}

/** The parameters of `GET /v1/query`. */
export const questionParams = (input: QuestionInput, range: { from: number; to: number }, zone: string): URLSearchParams => {
  const params = new URLSearchParams({ measure: input.measures.join(',') })
  if (input.by !== undefined && input.by.length > 0) params.set('by', input.by.join(','))
  if (input.interval !== undefined) params.set('interval', input.interval)
  if (input.top !== undefined) params.set('top', String(input.top))
  params.set('from', new Date(range.from).toISOString())
  params.set('to', new Date(range.to).toISOString())
  params.set('tz', zone)
  for (const filter of input.where ?? []) params.append('where', filter)
  return params
}

/**
 * Puts a question to the ledger. While the next answer is on its way the last one stays, marked as `isPlaceholderData`, so that
 * figures neither jump nor vanish. A period that moves is resolved when it is asked, by the server's clock.
 */
export const useQuestion = (input: QuestionInput): UseQueryResult<QueryAnswer, ApiError> => {
  const view = useView()
  const live = useLive()
  const period = input.period ?? view.period
  const where = [...(input.isBare ? [] : view.filters.map(filterText)), ...(input.where ?? [])]
  const question = { ...input, where }
  return useQuery<QueryAnswer, ApiError>({
    queryKey: ['query', keyOf(question), period, view.zone, input.isCompared ?? false],
    queryFn: ({ signal }) => {
      const params = questionParams(question, resolve(period, live, view.zone), view.zone)
      const compare = input.isCompared ? compareOf(period, live, view.zone) : undefined
      if (compare !== undefined) params.set('compare', compare)
      return getJson<QueryAnswer>(`/v1/query?${params}`, signal)
    },
    enabled: input.isEnabled ?? true,
    // Figures of another form have other columns: they cannot stand in.
    placeholderData: (last, query) => (formOf(query?.queryKey[1] as QuestionInput | undefined) === formOf(question) ? last : undefined),
  })
}

const formOf = (question: QuestionInput | undefined): string => JSON.stringify([question?.measures, question?.by, question?.interval])

const keyOf = ({ measures, by, interval, top, where }: QuestionInput) => ({ measures, by, interval, top, where })

/** The period's ends by the server's clock. "Now" is inside: what was recorded in this very millisecond counts. */
export const resolve = (period: Period, live: Live, zone: string): Range => rangeOf(period, live.now() + 1, zone)

/** Today is compared with yesterday until the same time; the server knows what precedes any other period. */
const compareOf = (period: Period, live: Live, zone: string): string | undefined => {
  if (period.kind !== 'today') return 'previous'
  const { from, to } = previousOf(period, live.now() + 1, zone)
  return from < to ? `${new Date(from).toISOString()}..${new Date(to).toISOString()}` : undefined
}
