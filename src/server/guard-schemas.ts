import { z } from '@hono/zod-openapi'
import { unitNames } from '../core/units.ts'
import { attribution, errorSchema, instantText, usd } from './schemas.ts'

// Budgets, alerts, readings and prices; the rest is in schemas.ts.

const name = z.string()
const count = z.number().int()
const unit = z.enum(unitNames)
const segment = z.record(z.string(), z.string().nullable())
const period = { from: instantText, to: instantText }
const next = z.string().optional().openapi({ description: 'The `after` of the following page; absent on the last one.' })

const refusal = z
  .object({
    budget: name,
    scope: name,
    value: name.optional(),
    unit: z.enum(['usd', 'tokens']),
    limit: z.string(),
    spent: z.string(),
    reserved: z.string(),
    asked: z.string(),
    resetsAt: instantText.optional(),
    reason: z.enum(['exceeded', 'unpriced', 'unavailable']),
    message: z.string(),
  })
  .openapi('Refusal')

const { key: _key, ...callersAttribution } = attribution
export const reserveRequestSchema = z
  .object({
    ...callersAttribution,
    provider: name,
    model: name,
    event: name.optional().openapi({ description: 'The id of the event that will tell of the call.' }),
    promptTokens: count,
    outputMax: count.optional(),
    mayUse: z.array(unit).optional(),
    tier: name.optional(),
    speed: name.optional(),
    region: name.optional(),
    runBudgetUsd: usd.optional(),
    lease: z
      .object({ id: name, calls: count.optional(), heldUsd: usd.optional(), heldTokens: count.optional(), ttlMs: count.optional() })
      .optional()
      .openapi({ description: 'Asks for an allowance for several such calls, to decide about them without a round trip.' }),
  })
  .openapi('ReserveRequest')
export const settleRequestSchema = z
  .object({ reservations: z.array(name).optional(), lease: z.object({ id: name }).optional() })
  .openapi('SettleRequest')
export const settleSchema = z.object({ settled: count }).openapi('SettleAnswer')
const lease = z
  .object({
    id: name,
    usd: usd.optional(),
    tokens: count.optional(),
    promptUsd: usd,
    outputUsd: usd,
    requestUsd: usd,
    outputMax: count,
  })
  .openapi('Lease')
export const reserveSchema = z
  .object({
    allowed: z.literal(true),
    reservation: name.optional(),
    because: z.literal('unavailable').optional(),
    lease: lease.optional(),
    expiresAt: instantText.optional(),
    scopes: z.array(name).optional(),
  })
  .openapi('Reserved')
export const refusedSchema = z
  .object({ allowed: z.literal(false), refusal, scopes: z.array(name).optional(), error: errorSchema.shape.error })
  .openapi('Refused')

export const alertsSchema = z
  .object({
    alerts: z.array(
      z
        .object({
          id: name,
          rule: name,
          state: z.enum(['pending', 'firing', 'resolved']),
          severity: z.enum(['info', 'warning', 'critical']),
          message: z.string(),
          segment: z.record(z.string(), z.string()),
          value: z.string().optional(),
          threshold: z.string().optional(),
          startedAt: instantText,
          firedAt: instantText.optional(),
          resolvedAt: instantText.optional(),
          query: z.string().optional(),
          cause: name.optional(),
          partOf: name.optional(),
        })
        .openapi('Alert'),
    ),
  })
  .openapi('AlertsAnswer')

export const budgetsSchema = z
  .object({
    budgets: z.array(
      z
        .object({
          name,
          scope: name,
          value: name.optional(),
          unit: z.enum(['usd', 'tokens']),
          window: z.union([
            z.object({ kind: z.literal('rolling'), span: z.enum(['1h', '24h', '7d', '30d']) }),
            z.object({ kind: z.literal('calendar'), interval: z.enum(['hour', 'day', 'week', 'month']), zone: name }),
            z.object({ kind: z.literal('total') }),
          ]),
          onExceed: z.enum(['block', 'warn']),
          limit: z.string(),
          spent: z.string(),
          reserved: z.string(),
          remaining: z.string(),
          share: z.number(),
          burnRatePerHour: z.string().optional(),
          exhaustsAt: instantText.optional(),
          resetsAt: instantText.optional(),
          thresholds: z.array(z.object({ share: z.number(), isCrossed: z.boolean() })),
          status: z.enum(['ok', 'warning', 'exceeded']),
        })
        .openapi('Budget'),
    ),
    hasMore: z.boolean(),
  })
  .openapi('BudgetsAnswer')

const severity = z.enum(['info', 'warning', 'critical'])
export const readingsSchema = z
  .object({
    ...period,
    segments: z.array(
      z.object({
        segment,
        runs: count,
        costUsd: usd,
        costPerRunUsd: usd.nullable(),
        costP95Usd: usd.nullable(),
        burnRatePerHourUsd: usd.nullable(),
        status: z.enum(['ok', 'warning', 'critical']),
        reason: z.string(),
      }),
    ),
    readings: z.array(
      z.object({
        kind: name,
        severity,
        sentence: z.string(),
        segment,
        parts: z.array(z.object({ name, amountUsd: usd })),
        query: z.string(),
      }),
    ),
  })
  .openapi('ReadingsAnswer')

const rates = z.partialRecord(unit, usd)
const tier = z.object({ op: z.enum(['gt', 'gte']), threshold: count, rates })
const priced = z
  .object({
    from: z.string().optional(),
    source: z.string().optional(),
    confidence: z.enum(['confirmed', 'single-source', 'decided']).optional(),
    rates,
    tiers: z.array(tier).optional(),
    hours: z
      .array(z.object({ from: z.string(), to: z.string(), days: z.array(count).optional(), rates, tiers: z.array(tier).optional() }))
      .optional(),
    variants: z
      .array(
        z.object({
          tier: name.optional(),
          speed: name.optional(),
          region: name.optional(),
          regions: z.array(name).optional(),
          multiply: z.string().optional(),
          rates: rates.optional(),
          tiers: z.array(tier).optional(),
        }),
      )
      .optional(),
  })
  .openapi('PricePeriod')
const price = {
  provider: name,
  providerName: z.string(),
  model: name,
  aliases: z.array(z.string()).optional(),
  outputMax: count.optional(),
  current: priced.optional(),
}
const unitsTable = z.record(unit, z.object({ title: z.string(), per: count, side: z.enum(['prompt', 'completion', 'other']) }))
export const pricesSchema = z
  .object({
    version: z.string(),
    units: unitsTable,
    providers: z.array(z.object({ id: name, name: z.string(), models: count })),
    prices: z.array(z.object({ ...price, periods: count }).openapi('Price')),
    matches: count,
    next,
  })
  .openapi('PricesAnswer')
export const priceDetailSchema = z
  .object({ ...price, version: z.string(), units: unitsTable, periods: z.array(priced) })
  .openapi('PriceDetail')
