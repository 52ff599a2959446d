import { sentenceOf, TaximeterError } from '../../core/errors.ts'
import type { AboutAnswer, HealthAnswer, ReadyAnswer } from '../api.ts'
import { instant } from '../entry-json.ts'
import { safeSentence } from '../error-answer.ts'
import { error, json, jsonAnswer, type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

/** What an operator asks. */
export const operateRoutes = (services: Services): readonly Route[] => [
  route({
    method: 'GET',
    path: '/healthz',
    uses: [],
    title: 'The process answers.',
    answers: { 200: json('Health', 'It does.') },
    handle: () => jsonAnswer({ status: 'ok', version: services.version } satisfies HealthAnswer),
  }),
  route({
    method: 'GET',
    path: '/readyz',
    uses: ['operate', 'read', 'send', 'call'],
    title: 'The ledger answers.',
    answers: { 200: json('Ready', 'It does.'), 503: json('Ready', 'It does not; the reason says why.') },
    async handle() {
      try {
        await services.store.head()
        return jsonAnswer({ status: 'ready' } satisfies ReadyAnswer)
      } catch (error) {
        const reason = error instanceof TaximeterError ? safeSentence(sentenceOf(error)) : 'The ledger does not answer.'
        return jsonAnswer({ status: 'not-ready', reason } satisfies ReadyAnswer, 503)
      }
    },
  }),
  route({
    method: 'GET',
    path: '/metrics',
    uses: ['read', 'operate'],
    title: 'Prometheus metrics; docs/reference/metrics.md names each.',
    answers: { 200: { says: 'The text format, version 0.0.4.', content: { 'text/plain': 'text' } } },
    handle: async () =>
      new Response(await services.metrics.text(), { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } }),
  }),
  aboutRoute(services),
  route({
    method: 'GET',
    path: '/openapi.json',
    uses: ['read', 'operate', 'send', 'call'],
    title: 'Every route, as OpenAPI 3.1.',
    answers: { 200: json('OpenApi', 'This document.') },
    handle: async () => new Response(await services.openApi(), { headers: { 'content-type': 'application/json; charset=utf-8' } }),
  }),
  ...reloadRoutes(services),
]

const aboutRoute = (services: Services): Route =>
  route({
    method: 'GET',
    path: '/v1/about',
    uses: ['read', 'operate'],
    title: 'What runs here: versions, the size of the ledger, which parts are wired.',
    answers: { 200: json('About', 'What runs here.') },
    async handle() {
      const { engine, version, schema, entries, bytes } = await services.store.describe()
      return jsonAnswer({
        version: services.version,
        now: instant(services.now()),
        startedAt: instant(services.startedAt),
        book: services.book().version,
        needsKey: services.needsKey,
        ledger: { engine, version, schema, entries, bytes },
        has: {
          budgets: services.budgets !== undefined,
          alerts: services.alerts !== undefined,
          alertRules: services.alertRules !== undefined,
          forecast: services.forecast !== undefined,
          selfCheck: services.selfCheck !== undefined,
          readings: services.readings !== undefined,
          prices: services.prices !== undefined,
          gateway: services.hasGateway,
        },
      } satisfies AboutAnswer)
    },
  })

const reloadRoutes = ({ reload }: Services): readonly Route[] =>
  reload === undefined
    ? []
    : [
        route({
          method: 'POST',
          path: '/-/reload',
          uses: ['operate'],
          title: 'Reads the configuration again. A bad file changes nothing and says where it is wrong.',
          answers: {
            204: { says: 'It is in force.' },
            422: error('The file is wrong: the message says where. Nothing was changed.'),
          },
          async handle() {
            await reload()
            return new Response(null, { status: 204 })
          },
        }),
      ]
