import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query'
import type {
  AboutAnswer,
  AlertRulesAnswer,
  AlertsAnswer,
  BudgetsAnswer,
  EntriesAnswer,
  ForecastAnswer,
  PriceDetailJson,
  PricesAnswer,
  ReadingsAnswer,
  RunDetailJson,
  RunSort,
  RunsAnswer,
  SelfCheckAnswer,
  SessionDetailJson,
  SessionsAnswer,
} from '../../../src/server/api.ts'
import { useView } from '../state/use-view.ts'
import { filterText } from '../state/view.ts'
import { type ApiError, getJson } from './client.ts'
import { useLive } from './live-context.tsx'
import { resolve } from './use-question.ts'

type Params = Readonly<Record<string, string | undefined>>

interface PeriodListOptions {
  /** Besides the filters of the address. */
  readonly where?: readonly string[] | undefined
  /** Whether the server has this part, where it may not: without it the answer is `null`; not known yet: not asked. */
  readonly part?: boolean | undefined
  /** Leave the filters of the address out. */
  readonly isBare?: boolean
}

/** Asks for a list over the period and the filters of the address. */
const usePeriodList = <T>(path: string, params: Params, options: PeriodListOptions = {}): UseQueryResult<T, ApiError> => {
  const view = useView()
  const live = useLive()
  const shown = view.period
  const filters = [...(options.isBare ? [] : view.filters.map(filterText)), ...(options.where ?? [])]
  return useQuery<T, ApiError>({
    queryKey: [path, params, filters, shown, view.zone, options.part],
    queryFn: ({ signal }) => {
      const { from, to } = resolve(shown, live, view.zone)
      const query = queryOf({ ...params, from: new Date(from).toISOString(), to: new Date(to).toISOString(), tz: view.zone })
      for (const filter of filters) query.append('where', filter)
      return options.part === false ? Promise.resolve(null as T) : getJson<T>(`${path}?${query}`, signal)
    },
    enabled: !('part' in options) || options.part !== undefined,
    placeholderData: keepPreviousData,
  })
}

const queryOf = (params: Params): URLSearchParams => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) if (value !== undefined) query.set(name, value)
  return query
}

export interface RunsInput {
  readonly sort: RunSort
  readonly limit: number
  readonly after?: string | undefined
  readonly where?: readonly string[]
}

export const useRuns = ({ sort, limit, after, where }: RunsInput): UseQueryResult<RunsAnswer, ApiError> =>
  usePeriodList<RunsAnswer>('/v1/runs', { sort, limit: String(limit), after }, { where })

export const useRun = (id: string): UseQueryResult<RunDetailJson, ApiError> =>
  useQuery<RunDetailJson, ApiError>({
    queryKey: ['run', id],
    queryFn: ({ signal }) => getJson<RunDetailJson>(`/v1/runs/${encodeURIComponent(id)}`, signal),
  })

export const useSessions = ({ sort, limit, after }: Omit<RunsInput, 'where'>): UseQueryResult<SessionsAnswer, ApiError> =>
  usePeriodList<SessionsAnswer>('/v1/sessions', { sort, limit: String(limit), after })

export const useSession = (id: string): UseQueryResult<SessionDetailJson, ApiError> =>
  usePeriodList<SessionDetailJson>(`/v1/sessions/${encodeURIComponent(id)}`, {})

export const useEntries = (limit: number, after: string | undefined): UseQueryResult<EntriesAnswer, ApiError> =>
  usePeriodList<EntriesAnswer>('/v1/entries', { limit: String(limit), after })

/** `null`: this server has no readings. They look at the whole ledger, whatever the filters of the address. */
export const useReadings = (): UseQueryResult<ReadingsAnswer | null, ApiError> =>
  usePeriodList<ReadingsAnswer | null>('/v1/readings', {}, { isBare: true, part: useAbout().data?.has.readings })

type Part = keyof AboutAnswer['has']

/** A part of the server that may not be there: it is asked only once the server has said that it is, and is `null` otherwise. */
const usePart = <T>(path: string, part: Part, pollMs?: (answer: T) => number | false): UseQueryResult<T | null, ApiError> => {
  const has = useAbout().data?.has[part]
  return useQuery<T | null, ApiError>({
    queryKey: [path, has],
    queryFn: ({ signal }) => (has ? getJson<T>(path, signal) : Promise.resolve(null)),
    enabled: has !== undefined,
    refetchInterval: ({ state }) => (state.data ? (pollMs?.(state.data) ?? false) : false),
  })
}

/** `null`: this server has no budgets. So it is for each of the following. */
export const useBudgets = (): UseQueryResult<BudgetsAnswer | null, ApiError> => usePart('/v1/budgets', 'budgets')

export const useForecast = (): UseQueryResult<ForecastAnswer | null, ApiError> => usePart('/v1/forecast', 'forecast')

export const useAlerts = (): UseQueryResult<AlertsAnswer | null, ApiError> => usePart('/v1/alerts', 'alerts')

const previewPollMs = 1_500

/** What rules would have told is worked out while one looks: it is asked for until all of it is there. */
export const useAlertRules = (): UseQueryResult<AlertRulesAnswer | null, ApiError> =>
  usePart<AlertRulesAnswer>('/v1/alerts/rules', 'alertRules', ({ rules }) =>
    rules.every(({ preview }) => preview !== undefined) ? false : previewPollMs,
  )

export const useSelfCheck = (): UseQueryResult<SelfCheckAnswer | null, ApiError> => usePart('/v1/self-check', 'selfCheck')

export const useAbout = (): UseQueryResult<AboutAnswer, ApiError> =>
  useQuery<AboutAnswer, ApiError>({ queryKey: ['about'], queryFn: ({ signal }) => getJson<AboutAnswer>('/v1/about', signal) })

export const usePrices = (
  search: string | undefined,
  provider: string | undefined,
  after: string | undefined,
): UseQueryResult<PricesAnswer, ApiError> =>
  useQuery<PricesAnswer, ApiError>({
    queryKey: ['prices', search, provider, after],
    queryFn: ({ signal }) => getJson<PricesAnswer>(`/v1/prices?${queryOf({ search, provider, after, limit: '100' })}`, signal),
    placeholderData: keepPreviousData,
    staleTime: 300_000,
  })

export const usePrice = (provider: string, model: string): UseQueryResult<PriceDetailJson, ApiError> =>
  useQuery<PriceDetailJson, ApiError>({
    queryKey: ['price', provider, model],
    queryFn: ({ signal }) => getJson<PriceDetailJson>(`/v1/prices/${encodeURIComponent(provider)}/${encodeURIComponent(model)}`, signal),
    staleTime: 300_000,
  })
