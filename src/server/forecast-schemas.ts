import { z } from '@hono/zod-openapi'
import { instantText } from './schemas.ts'

// Forecasts, the rules of alerts and the self-check; the rest is in schemas.ts and guard-schemas.ts.

const name = z.string()
const count = z.number().int()
const amount = z.string()
const unit = z.enum(['usd', 'tokens'])
const season = z.enum(['none', 'day', 'week'])
const expected = { expected: amount, low: amount, high: amount, season }
const window = z.union([
  z.object({ kind: z.literal('rolling'), span: z.enum(['1h', '24h', '7d', '30d']) }),
  z.object({ kind: z.literal('calendar'), interval: z.enum(['hour', 'day', 'week', 'month']), zone: name }),
  z.object({ kind: z.literal('total') }),
])

export const forecastSchema = z
  .object({
    at: instantText,
    tz: name,
    total: z.array(z.object({ period: z.enum(['day', 'week', 'month']), from: instantText, to: instantText, spent: amount, ...expected })),
    budgets: z.array(
      z
        .object({
          name,
          scope: name,
          value: name.optional(),
          unit,
          window,
          limit: amount,
          spent: amount,
          atEnd: z.object({ at: instantText, ...expected }).optional(),
          exhaustsAt: instantText.optional(),
          exhaustsEarliest: instantText.optional(),
        })
        .openapi('BudgetForecast'),
    ),
  })
  .openapi('ForecastAnswer')

const segment = z.record(z.string(), z.string())
const preview = z
  .object({
    from: instantText,
    to: instantText,
    isComplete: z.boolean(),
    stepMs: count,
    fired: z.array(z.object({ at: instantText, resolvedAt: instantText.optional(), segment, message: z.string(), cause: name.optional() })),
  })
  .openapi('AlertPreview')

export const alertRulesSchema = z
  .object({
    rules: z.array(
      z
        .object({
          name,
          kind: name,
          severity: z.enum(['info', 'warning', 'critical']),
          by: z.array(name),
          where: z.array(name),
          forMs: count,
          floorUsd: z.number(),
          notify: z.array(name).optional(),
          condition: z.record(z.string(), z.unknown()),
          progress: z.number(),
          preview: preview.optional(),
        })
        .openapi('AlertRule'),
    ),
  })
  .openapi('AlertRulesAnswer')

export const selfCheckSchema = z
  .object({
    done: count,
    of: count,
    points: z.array(z.object({ id: name, title: z.string(), isDone: z.boolean(), says: z.string(), add: z.string().optional() })),
  })
  .openapi('SelfCheckAnswer')
