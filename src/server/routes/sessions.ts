import type { AnswerRow, Value } from '../../core/answer.ts'
import { TaximeterError } from '../../core/errors.ts'
import { parseQuestion } from '../../core/question.ts'
import type { SessionDetailJson, SessionJson, SessionsAnswer } from '../api.ts'
import { instant, runJson } from '../entry-json.ts'
import { sessionsMax } from '../limits.ts'
import { countParameter, textParameter } from '../parameters.ts'
import { parsePeriodQuery, periodQuery } from '../period-query.ts'
import { error, json, jsonAnswer, type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const measure = 'cost,calls,runs,retries,errors,tokens,promptTokens,completionTokens'

/** Sessions are not kept as rows of their own: they are what entries and runs share, so that they are asked for as a breakdown. */
export const sessionRoutes = ({ store, now }: Services): readonly Route[] => [
  route({
    method: 'GET',
    path: '/v1/sessions',
    uses: ['read'],
    title: 'The costliest sessions; without a period, of the last seven days.',
    query: { limit: countParameter(1, sessionsMax, 50), ...periodQuery },
    answers: {
      200: json('SessionsAnswer', 'Sessions with what they cost in the period.'),
      400: error('The question is not one: the message says what was expected.'),
    },
    async handle({ query }) {
      const period = parsePeriodQuery(query, now(), { last: '7d' })
      const filters = [...query.where, '-session:']
      const question = parseQuestion({ measure, by: 'session', top: String(query.limit), where: filters }, now())
      const answer = await store.ask({ ...question, from: period.from, to: period.to })
      return jsonAnswer({
        from: answer.from,
        to: answer.to,
        sessions: answer.rows.slice(0, query.limit).map(sessionJson),
        hasMore: answer.rows.length > query.limit,
      } satisfies SessionsAnswer)
    },
  }),
  route({
    method: 'GET',
    path: '/v1/sessions/{id}',
    uses: ['read'],
    greedy: ['id'],
    title: 'One session and its runs, newest first; without a period, of the last 30 days.',
    query: { limit: countParameter(1, 1_000, 100), after: textParameter(1_000), ...periodQuery },
    answers: { 200: json('SessionDetail', 'The session.'), 404: error('There is none in the period.') },
    async handle({ query, param }) {
      const period = parsePeriodQuery(query, now(), { last: '30d' })
      const where = [...period.where, { by: 'session' as const, values: [param('id')] }]
      const question = { ...parseQuestion({ measure, by: 'session' }, now()), from: period.from, to: period.to, where }
      const page = { limit: query.limit, ...(query.after !== undefined && { after: query.after }) }
      const [answer, runs] = await Promise.all([store.ask(question), store.runs({ ...period, where, sort: 'newest' }, page)])
      const row = answer.rows[0]
      if (row === undefined) {
        throw new TaximeterError('NOT_FOUND', `Nothing of a session "${param('id').slice(0, 100)}" is in the ledger in this period.`)
      }
      return jsonAnswer({
        from: instant(period.from),
        to: instant(period.to),
        session: sessionJson(row),
        runs: runs.runs.map(runJson),
        ...(runs.next !== undefined && { next: runs.next }),
      } satisfies SessionDetailJson)
    },
  }),
]

const sessionJson = (row: AnswerRow): SessionJson => ({
  session: String(row.session),
  runs: Number(row.runs),
  calls: Number(row.calls),
  retries: Number(row.retries),
  errors: Number(row.errors),
  costUsd: row.cost === null ? null : String(row.cost),
  tokens: countOf(row.tokens),
  promptTokens: countOf(row.promptTokens),
  completionTokens: countOf(row.completionTokens),
})

const countOf = (value: Value | undefined): number | string => value ?? 0
