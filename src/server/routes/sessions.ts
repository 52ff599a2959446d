import type { AnswerRow, Value } from '../../core/answer.ts'
import { TaximeterError } from '../../core/errors.ts'
import { listOrders, parseQuestion, type Question } from '../../core/question.ts'
import type { Page, RunSummary, SessionTimes, Store } from '../../ledger/store.ts'
import type { SessionDetailJson, SessionJson, SessionsAnswer } from '../api.ts'
import { instant, runJson } from '../entry-json.ts'
import { sessionsMax } from '../limits.ts'
import { choiceParameter, countParameter, textParameter } from '../parameters.ts'
import { parsePeriodQuery, periodQuery } from '../period-query.ts'
import { error, json, jsonAnswer, type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const measure = 'cost,calls,runs,retries,errors,tokens,promptTokens,completionTokens'
const after = textParameter(1_000, '`next` of the page before.')

/** The ledger says which sessions are on a page and when they were; what they cost is a question. */
export const sessionRoutes = ({ store, now }: Services): readonly Route[] => [
  route({
    method: 'GET',
    path: '/v1/sessions',
    uses: ['read'],
    title: 'Sessions that have calls in the period, and what these cost; without a period, the last seven days.',
    query: { sort: choiceParameter(listOrders, 'costliest'), limit: countParameter(1, sessionsMax, 50), after, ...periodQuery },
    answers: {
      200: json('SessionsAnswer', 'One page of sessions with what they cost in the period.'),
      400: error('The question is not one: the message says what was expected.'),
    },
    async handle({ query }) {
      const period = parsePeriodQuery(query, now(), { last: '7d' })
      const page = await store.sessions({ ...period, sort: query.sort }, pageOf(query))
      const figures = await figuresOf(store, period, page.sessions)
      return jsonAnswer({
        from: instant(period.from),
        to: instant(period.to),
        sessions: page.sessions.map((times) => sessionJson(times, figures.get(times.session))),
        ...(page.next !== undefined && { next: page.next }),
      } satisfies SessionsAnswer)
    },
  }),
  route({
    method: 'GET',
    path: '/v1/sessions/{id}',
    uses: ['read'],
    greedy: ['id'],
    title: 'One session and its runs, in the order in which they began; without a period, of the last 30 days.',
    query: { sort: choiceParameter(listOrders, 'oldest'), limit: countParameter(1, 1_000, 100), after, ...periodQuery },
    answers: { 200: json('SessionDetail', 'The session.'), 404: error('There is none in the period.') },
    async handle({ query, param }) {
      const asked = parsePeriodQuery(query, now(), { last: '30d' })
      const period = { ...asked, where: [...asked.where, { by: 'session' as const, values: [param('id')] }] }
      const [{ sessions }, runs] = await Promise.all([
        store.sessions({ ...period, sort: 'newest' }, { limit: 1 }),
        store.runs({ ...period, sort: query.sort }, pageOf(query)),
      ])
      const times = sessions[0] ?? timesOfRuns(param('id'), runs.runs)
      if (times === undefined) {
        throw new TaximeterError('NOT_FOUND', `Nothing of a session "${param('id').slice(0, 100)}" is in the ledger in this period.`)
      }
      const figures = await figuresOf(store, period, [times])
      return jsonAnswer({
        from: instant(period.from),
        to: instant(period.to),
        session: sessionJson(times, figures.get(times.session)),
        runs: runs.runs.map(runJson),
        ...(runs.next !== undefined && { next: runs.next }),
      } satisfies SessionDetailJson)
    },
  }),
]

const pageOf = (query: { readonly limit: number; readonly after: string | undefined }): Page => ({
  limit: query.limit,
  ...(query.after !== undefined && { after: query.after }),
})

/** A session that has made no call in the period is still there when a run of it began. */
const timesOfRuns = (session: string, runs: readonly RunSummary[]): SessionTimes | undefined =>
  runs.length === 0
    ? undefined
    : {
        session,
        startedAt: Math.min(...runs.map(({ startedAt }) => startedAt)),
        endedAt: Math.max(...runs.map(({ endedAt }) => endedAt)),
      }

const figuresOf = async (
  store: Pick<Store, 'ask'>,
  { from, to, where }: Pick<Question, 'from' | 'to' | 'where'>,
  sessions: readonly SessionTimes[],
): Promise<ReadonlyMap<string, AnswerRow>> => {
  if (sessions.length === 0) return new Map()
  const named = { by: 'session' as const, values: sessions.map(({ session }) => session) }
  const { rows } = await store.ask({ ...parseQuestion({ measure, by: 'session' }, to), from, to, where: [...where, named] })
  return new Map(rows.map((row) => [String(row.session), row]))
}

const sessionJson = ({ session, startedAt, endedAt }: SessionTimes, row: AnswerRow | undefined): SessionJson => ({
  session,
  startedAt: instant(startedAt),
  endedAt: instant(endedAt),
  durationMs: endedAt - startedAt,
  runs: Number(row?.runs ?? 0),
  calls: Number(row?.calls ?? 0),
  retries: Number(row?.retries ?? 0),
  errors: Number(row?.errors ?? 0),
  costUsd: row?.cost === null ? null : String(row?.cost ?? '0.000000000000'),
  tokens: countOf(row?.tokens),
  promptTokens: countOf(row?.promptTokens),
  completionTokens: countOf(row?.completionTokens),
  unpricedCalls: Number(row?.unpricedCalls ?? 0),
  partialCalls: Number(row?.partialCalls ?? 0),
  estimatedCalls: Number(row?.estimatedCalls ?? 0),
})

const countOf = (value: Value | undefined): number | string => value ?? 0
