import { z } from '@hono/zod-openapi'
import type { BudgetScope, Refusal } from '../../core/budget.ts'
import { TaximeterError } from '../../core/errors.ts'
import { parseQuestion } from '../../core/question.ts'
import type { CallAhead } from '../../guard/guard.ts'
import { type LeaseJson, leaseRequestOf } from '../../guard/lease-json.ts'
import type { BudgetsAnswer, ReserveAnswer, SettleAnswer } from '../api.ts'
import { alertsSchema, budgetsSchema, readingsSchema, refusedSchema, reserveRequestSchema, reserveSchema } from '../guard-schemas.ts'
import { settlementsMax, smallBodyBytesMax } from '../limits.ts'
import { parseWhole } from '../parse-items.ts'
import { periodQuery } from '../period-query.ts'
import { json, jsonAnswer, type Route, type RouteCall, route } from '../route.ts'
import { errorSchema } from '../schemas.ts'
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
    answers: { 200: json(budgetsSchema, 'The fullest first.') },
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
    body: { 'application/json': reserveRequestSchema },
    answers: {
      200: json(reserveSchema, 'Allowed; settle the reservation when the call is over.'),
      402: json(refusedSchema, 'Refused: the budget, what is spent of it and when it resets.'),
      400: json(errorSchema, 'The request is not one.'),
    },
    async handle(call) {
      const { lease, ...asked } = await smallBody(services, call, reserveRequestSchema)
      const key = call.caller.key
      const ahead = { ...asked, ...key?.attribution, ...(key !== undefined && { key: key.id }) } as CallAhead
      if (lease !== undefined) return leaseAnswer(budgets, lease as LeaseJson, ahead)
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
    body: { 'application/json': settleRequestSchema },
    answers: {
      200: json(z.object({ settled: z.number().int() }), 'How many were named.'),
      400: json(errorSchema, 'The request is not one.'),
    },
    async handle(call) {
      const { reservations = [], lease } = await smallBody(services, call, settleRequestSchema)
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

const settleRequestSchema = z
  .strictObject({
    reservations: z.array(z.string().min(1).max(200)).max(settlementsMax).optional(),
    lease: z.strictObject({ id: z.string().max(36) }).optional(),
  })
  .openapi('SettleRequest')

const alertRoutes = ({ alerts }: Services): readonly Route[] =>
  alerts === undefined
    ? []
    : [
        route({
          method: 'GET',
          path: '/v1/alerts',
          uses: ['read'],
          title: 'Alerts: the open ones, then the latest.',
          answers: { 200: json(alertsSchema, 'The alerts.') },
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
          query: z.object(periodQuery),
          answers: { 200: json(readingsSchema, 'The readings of the period.'), 400: json(errorSchema, 'The period is not one.') },
          async handle({ query }) {
            const { from, to, zone } = parseQuestion(query, now())
            return jsonAnswer(await readings({ from, to, zone }))
          },
        }),
      ]

/** A small JSON body by its schema. Throws BAD_REQUEST that names the first field that is not as it should be. */
const smallBody = <Schema extends z.ZodType>({ bodies }: Services, call: RouteCall, schema: Schema): Promise<z.output<Schema>> =>
  bodies.read(call.source, smallBodyBytesMax, (body) => {
    const parsed = schema.safeParse(parseWhole(body.toString('utf8')))
    if (parsed.success) return parsed.data
    const issue = parsed.error.issues[0]
    throw new TaximeterError(
      'BAD_REQUEST',
      `${issue?.path.length ? `"${issue.path.join('.')}"` : 'The body'}: ${issue?.message ?? 'is not valid'}.`,
    )
  })
