import { z } from '@hono/zod-openapi'
import { TaximeterError } from '../../core/errors.ts'
import { parseQuestion } from '../../core/question.ts'
import type { EntriesAnswer, QueryAnswer, RunsAnswer } from '../api.ts'
import { callJson, instant, runDetailJson, runJson } from '../entry-json.ts'
import { runsPageMax } from '../limits.ts'
import { parsePeriodQuery, periodQuery } from '../period-query.ts'
import { comparedOf } from '../previous-period.ts'
import { countText, json, jsonAnswer, type Route, route } from '../route.ts'
import { entriesSchema, errorSchema, querySchema, runDetailSchema, runsSchema } from '../schemas.ts'
import type { Services } from '../services.ts'
import { sessionRoutes } from './sessions.ts'

const bad = json(errorSchema, 'The question is not one: the message says what was expected.')
const absent = json(errorSchema, 'There is none.')
const after = z.string().max(1_000).optional().openapi({ description: '`next` of the page before.' })

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
    query: z.object({
      measure: z
        .string()
        .max(2_000)
        .optional()
        .openapi({ description: 'Measures, separated by commas. Absent: cost.', example: 'cost,tokens' }),
      by: z.string().max(500).optional().openapi({ description: 'Attributes to break down by, at most three.', example: 'agent,model' }),
      interval: z.string().max(10).optional().openapi({ description: 'minute, 15m, hour, day, week or month.', example: 'hour' }),
      top: z.string().max(10).optional().openapi({ description: 'Keep this many rows per bucket and fold the rest into `other`.' }),
      compare: z.string().max(100).optional().openapi({ description: '`previous`, or another period: 2026-10-01..2026-11-01.' }),
      ...periodQuery,
    }),
    answers: { 200: json(querySchema, 'The rows, the totals over all of them, and how sure the charges are.'), 400: bad },
    async handle({ query }) {
      const question = parseQuestion(query, now())
      if (query.compare === undefined) return jsonAnswer(await store.ask(question))
      const compared = comparedOf(question, query.compare, now())
      const [answer, previous] = await Promise.all([store.ask(question), store.ask(compared)])
      return jsonAnswer({ ...answer, previous } satisfies QueryAnswer)
    },
  })

const runsRoute = ({ store, now }: Services): Route =>
  route({
    method: 'GET',
    path: '/v1/runs',
    uses: ['read'],
    title: 'Runs by their start, newest or costliest first; without a period, those of the last seven days.',
    query: z.object({
      sort: z.enum(['newest', 'costliest', 'longest', 'tokens']).default('newest'),
      limit: countText(1, runsPageMax, 50),
      after,
      ...periodQuery,
    }),
    answers: { 200: json(runsSchema, 'One page of runs with their totals.'), 400: bad },
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
    params: z.object({ id: z.string() }),
    answers: { 200: json(runDetailSchema, 'The run.'), 404: absent },
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
    query: z.object({
      limit: countText(1, 1_000, 100),
      after,
      uncounted: z
        .enum(['include'])
        .optional()
        .openapi({ description: '`include`: also entries that were corrected, or told of by a more authoritative source.' }),
      ...periodQuery,
    }),
    answers: { 200: json(entriesSchema, 'One page of entries.'), 400: bad },
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
