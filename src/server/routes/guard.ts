import { attributeCharsMax, attributeNames, tagsMax } from '../../core/attribution.ts'
import type { BudgetScope, Refusal } from '../../core/budget.ts'
import { TaximeterError } from '../../core/errors.ts'
import { unitNames } from '../../core/units.ts'
import { countMax } from '../../core/usage.ts'
import type { CallAhead } from '../../guard/guard.ts'
import { type LeaseJson, leaseRequestOf } from '../../guard/lease-json.ts'
import type { BudgetsAnswer, ReserveAnswer, ReserveRequest, SettleAnswer, SettleRequest } from '../api.ts'
import { checkBody, type FieldCheck, list, object, oneOf, table, text, whole } from '../fields.ts'
import { settlementsMax, smallBodyBytesMax } from '../limits.ts'
import { textParameter } from '../parameters.ts'
import { parseWhole } from '../parse-items.ts'
import { periodQuery } from '../period-query.ts'
import { readingsAskedOf } from '../readings.ts'
import { error, json, jsonAnswer, type Route, type RouteCall, route } from '../route.ts'
import type { Budgets, Services } from '../services.ts'

const budgetsShown = 500

/** Budgets, alerts and readings: the routes of the parts that are wired. */
export const guardRoutes = (services: Services): readonly Route[] => [
  ...(services.budgets === undefined ? [] : budgetRoutes(services, services.budgets)),
  ...alertRoutes(services),
  ...readingRoutes(services),
]

const budgetRoutes = (services: Services, budgets: Budgets): readonly Route[] => [
  route({
    method: 'GET',
    path: '/v1/budgets',
    uses: ['read'],
    title: 'Every allowance with what is spent, reserved and left of it.',
    answers: { 200: json('BudgetsAnswer', 'The fullest first.') },
    async handle() {
      const all = await budgets.status(budgetsShown + 1)
      return jsonAnswer({ budgets: all.slice(0, budgetsShown), hasMore: all.length > budgetsShown } satisfies BudgetsAnswer)
    },
  }),
  route({
    method: 'POST',
    path: '/v1/budgets/reserve',
    uses: ['call', 'send'],
    title: 'Sets the worst case of a call aside across all budgets that bind it, before it is sent; with `lease`, of several calls.',
    body: { 'application/json': 'ReserveRequest' },
    answers: {
      200: json('Reserved', 'Allowed; settle the reservation when the call is over.'),
      402: json('Refused', 'Refused: the budget, what is spent of it and when it resets.'),
      400: error('The request is not one.'),
    },
    async handle(call) {
      const { lease, ...asked } = await smallBody<ReserveRequest>(services, call, reserveCheck)
      const key = call.caller.key
      const ahead = { ...asked, ...key?.attribution, ...(key !== undefined && { key: key.id }) } as CallAhead
      if (lease !== undefined) return leaseAnswer(budgets, lease, ahead)
      const decision = await budgets.reserve(ahead)
      if (!decision.allowed) return refused({ allowed: false, refusal: decision.refusal })
      return jsonAnswer({
        allowed: true,
        ...(decision.reservation !== undefined && { reservation: decision.reservation }),
        ...(decision.because !== undefined && { because: decision.because }),
      } satisfies ReserveAnswer)
    },
  }),
  route({
    method: 'POST',
    path: '/v1/budgets/settle',
    uses: ['call', 'send'],
    title: 'Gives back what reservations did not use. Unknown and expired ones are ignored.',
    body: { 'application/json': 'SettleRequest' },
    answers: {
      200: json('SettleAnswer', 'How many were named.'),
      400: error('The request is not one.'),
    },
    async handle(call) {
      const { reservations = [], lease } = await smallBody<SettleRequest>(services, call, settleCheck)
      for (const reservation of reservations) budgets.settle(reservation)
      const isGivenBack = lease !== undefined && budgets.giveBack(lease.id)
      return jsonAnswer({ settled: reservations.length + (isGivenBack ? 1 : 0) } satisfies SettleAnswer)
    },
  }),
]

const leaseAnswer = async (budgets: Budgets, lease: LeaseJson, ahead: CallAhead): Promise<Response> => {
  const request = leaseRequestOf(lease, ahead)
  if (typeof request === 'string') throw new TaximeterError('BAD_REQUEST', `${request}.`)
  const answer = await budgets.lease(request)
  return answer.allowed ? jsonAnswer(answer) : refused(answer)
}

const refused = (answer: { readonly allowed: false; readonly refusal: Refusal; readonly scopes?: readonly BudgetScope[] }): Response =>
  jsonAnswer({ ...answer, error: { code: 'BUDGET_EXCEEDED', message: answer.refusal.message } } satisfies ReserveAnswer, 402)

const name = text(attributeCharsMax)
const tokens = whole(countMax)
const leaseCheck = object({ id: text(36), calls: tokens, heldUsd: text(40), heldTokens: tokens, ttlMs: tokens }, ['id'])
const reserveCheck = object(
  {
    provider: name,
    model: name,
    promptTokens: tokens,
    outputMax: tokens,
    mayUse: list(unitNames.length, oneOf(unitNames)),
    event: text(36),
    tier: name,
    speed: name,
    region: name,
    ...Object.fromEntries(attributeNames.filter((attribute) => attribute !== 'key').map((attribute) => [attribute, name])),
    tags: table(tagsMax, name),
    runBudgetUsd: text(40),
    lease: leaseCheck,
  },
  ['provider', 'model', 'promptTokens'],
)
const settleCheck = object({ reservations: list(settlementsMax, text(200)), lease: object({ id: text(36) }, ['id']) })

const alertRoutes = ({ alerts }: Services): readonly Route[] =>
  alerts === undefined
    ? []
    : [
        route({
          method: 'GET',
          path: '/v1/alerts',
          uses: ['read'],
          title: 'Alerts: the open ones, then the latest.',
          answers: { 200: json('AlertsAnswer', 'The alerts.') },
          handle: async () => jsonAnswer(await alerts()),
        }),
      ]

const readingRoutes = ({ readings, now }: Services): readonly Route[] =>
  readings === undefined
    ? []
    : [
        route({
          method: 'GET',
          path: '/v1/readings',
          uses: ['read'],
          title: 'What the numbers say: the segment table, and sentences with the question behind each.',
          query: {
            compare: textParameter(200, '`previous` (unless said otherwise), another period: 2026-10-01..2026-11-01, or release:<name>.'),
            ...periodQuery,
          },
          answers: { 200: json('ReadingsAnswer', 'The readings of the period.'), 400: error('The question is not one.') },
          handle: async ({ query }) => jsonAnswer(await readings(readingsAskedOf(query, now()))),
        }),
      ]

/** A small JSON body. Throws BAD_REQUEST that names the first field that is not as it should be. */
const smallBody = <Body>({ bodies }: Services, call: RouteCall, check: FieldCheck): Promise<Body> =>
  bodies.read(call.source, smallBodyBytesMax, (body) => {
    const value = parseWhole(body.toString('utf8'))
    checkBody(value, check)
    return value as Body
  })
