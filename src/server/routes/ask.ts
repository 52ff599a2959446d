import { TaximeterError } from '../../core/errors.ts'
import { listOrders, parseQuestion } from '../../core/question.ts'
import type { EntriesAnswer, QueryAnswer, RunsAnswer } from '../api.ts'
import { callJson, instant, runDetailJson, runJson } from '../entry-json.ts'
import { runsPageMax } from '../limits.ts'
import { choiceParameter, countParameter, textParameter } from '../parameters.ts'
import { parsePeriodQuery, periodQuery } from '../period-query.ts'
import { askCompared, comparedOf } from '../previous-period.ts'
import { error, json, jsonAnswer, type Route, route } from '../route.ts'
import type { Services } from '../services.ts'
import { sessionRoutes } from './sessions.ts'

const bad = error('The question is not one: the message says what was expected.')
const absent = error('There is none.')
const after = textParameter(1_000, '`next` of the page before.')

/** Questions put to the ledger. */
export const askRoutes = (services: Services): readonly Route[] => [
  queryRoute(services),
  runsRoute(services),
  runRoute(services),
  ...sessionRoutes(services),
  entriesRoute(services),
]

const queryRoute = ({ store, now }: Services): Route =>
  route({
    method: 'GET',
    path: '/v1/query',
    uses: ['read'],
    title: 'Measures × breakdown × interval × filter × period.',
    query: {
      measure: textParameter(2_000, 'Measures, separated by commas. Absent: cost.', 'cost,tokens'),
      by: textParameter(500, 'Attributes to break down by, at most three.', 'agent,model'),
      interval: textParameter(10, 'minute, 15m, hour, day, week or month.', 'hour'),
      top: textParameter(10, 'Keep this many rows per bucket and fold the rest into `other`.'),
      compare: textParameter(100, '`previous`, or another period: 2026-10-01..2026-11-01.'),
      ...periodQuery,
    },
    answers: { 200: json('QueryAnswer', 'The rows, the totals over all of them, and how sure the charges are.'), 400: bad },
    async handle({ query }) {
      const question = parseQuestion(query, now())
      if (query.compare === undefined) return jsonAnswer(await store.ask(question))
      const { answer, previous } = await askCompared(store.ask, question, comparedOf(question, query.compare, now()))
      return jsonAnswer({ ...answer, previous } satisfies QueryAnswer)
    },
  })

const runsRoute = ({ store, now }: Services): Route =>
  route({
    method: 'GET',
    path: '/v1/runs',
    uses: ['read'],
    title: 'Runs that began in the period; without one, in the last seven days.',
    query: {
      sort: choiceParameter(listOrders, 'newest'),
      limit: countParameter(1, runsPageMax, 50),
      after,
      ...periodQuery,
    },
    answers: { 200: json('RunsAnswer', 'One page of runs with their totals.'), 400: bad },
    async handle({ query }) {
      const period = parsePeriodQuery(query, now(), { last: '7d' })
      const page = await store.runs(
        { ...period, sort: query.sort },
        { limit: query.limit, ...(query.after !== undefined && { after: query.after }) },
      )
      return jsonAnswer({
        from: instant(period.from),
        to: instant(period.to),
        runs: page.runs.map(runJson),
        ...(page.next !== undefined && { next: page.next }),
      } satisfies RunsAnswer)
    },
  })

const runRoute = ({ store }: Services): Route =>
  route({
    method: 'GET',
    path: '/v1/runs/{id}',
    uses: ['read'],
    greedy: ['id'],
    title: 'One run: its calls in order with their charges, and its sub-runs.',
    answers: { 200: json('RunDetail', 'The run.'), 404: absent },
    async handle({ param }) {
      const detail = await store.run(param('id'))
      if (detail === undefined) throw new TaximeterError('NOT_FOUND', `No run "${param('id').slice(0, 100)}" is in the ledger.`)
      return jsonAnswer(runDetailJson(detail))
    },
  })

const entriesRoute = ({ store, now }: Services): Route =>
  route({
    method: 'GET',
    path: '/v1/entries',
    uses: ['read'],
    title: 'Raw entries from oldest to newest; without a period, those of the last 24 hours.',
    query: {
      limit: countParameter(1, 1_000, 100),
      after,
      uncounted: choiceParameter(
        ['include'],
        undefined,
        '`include`: also entries that were corrected, or told of by a more authoritative source.',
      ),
      ...periodQuery,
    },
    answers: { 200: json('EntriesAnswer', 'One page of entries.'), 400: bad },
    async handle({ query }) {
      const period = parsePeriodQuery(query, now(), { last: '24h' })
      const page = await store.entries(
        { ...period, ...(query.uncounted !== undefined && { withUncounted: true }) },
        { limit: query.limit, ...(query.after !== undefined && { after: query.after }) },
      )
      return jsonAnswer({
        from: instant(period.from),
        to: instant(period.to),
        entries: page.entries.map(callJson),
        ...(page.next !== undefined && { next: page.next }),
      } satisfies EntriesAnswer)
    },
  })
