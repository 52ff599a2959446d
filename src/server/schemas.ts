import { z } from '@hono/zod-openapi'
import { bases } from '../core/charge.ts'
import { errorCodes } from '../core/errors.ts'
import { callStatuses, runStatuses, sources, stopReasons } from '../core/event.ts'
import { unitNames } from '../core/units.ts'
import { usageFlags } from '../core/usage.ts'
import { rejections } from '../intake/event-json.ts'

// The answers of api.ts as schemas, for /openapi.json. A test holds every answer that the routes give against them.

export const usd = z.string().openapi({ description: 'Decimal dollars.', example: '0.000117650000' })
export const instantText = z.string().openapi({ format: 'date-time' })
const name = z.string()
const count = z.number().int()
const bigCount = z.union([z.number(), z.string()])
const unit = z.enum(unitNames)
const usage = z.partialRecord(unit, count)

export const errorSchema = z.object({ error: z.object({ code: z.enum(errorCodes), message: z.string() }) }).openapi('Error')

export const attribution = {
  agent: name.optional(),
  session: name.optional(),
  run: name.optional(),
  step: name.optional(),
  task: name.optional(),
  release: name.optional(),
  environment: name.optional(),
  team: name.optional(),
  user: name.optional(),
  key: name.optional(),
  tags: z.record(z.string(), z.string()).optional(),
}
export const { run: _run, step: _step, tags: _tags, ...runAttribution } = attribution

export const eventSchema = z
  .looseObject({
    id: z.string().openapi({ description: 'A UUID; version 7 sorts best. Sending it again changes nothing.', format: 'uuid' }),
    at: z.union([z.string(), z.number()]).openapi({ description: 'Start of the call: ISO 8601 with a zone, or UTC milliseconds.' }),
    kind: z.enum(['llm', 'tool', 'run']),
    source: z.enum(['sdk', 'otlp', 'import']).optional(),
    ...runAttribution,
    run: name.optional(),
    step: name.optional(),
    tags: attribution.tags,
    status: name.optional(),
    error: name.optional(),
    durationMs: z.number().optional(),
    attempt: count.optional(),
    callKey: name.optional(),
    provider: name.optional(),
    model: name.optional(),
    requestedModel: name.optional(),
    operation: name.optional(),
    usage: usage.optional(),
    quality: name.optional(),
    flags: z.array(z.string()).optional(),
    dialect: name.optional(),
    rawUsage: z.unknown().optional(),
    tier: name.optional(),
    speed: name.optional(),
    region: name.optional(),
    firstByteMs: z.number().optional(),
    promptHash: name.optional(),
    reportedCostUsd: usd.optional(),
    tool: name.optional(),
    costUsd: usd.optional(),
    phase: z.enum(['start', 'end']).optional(),
    parent: name.optional(),
    stopReason: z.enum(stopReasons).optional(),
    budgetUsd: usd.optional(),
  })
  .openapi('Event')

const itemResult = z
  .union([
    z.object({ id: name, outcome: z.enum(['accepted', 'duplicate']), costUsd: usd.optional(), basis: z.enum(bases).optional() }),
    z.object({ id: name.optional(), outcome: z.literal('rejected'), reason: z.enum(rejections), message: z.string() }),
  ])
  .openapi('ItemResult')

export const ingestSchema = z
  .object({ results: z.array(itemResult), counts: z.object({ accepted: count, duplicate: count, rejected: count }) })
  .openapi('IngestAnswer')

const value = z.union([z.string(), z.number()]).nullable()
const answer = {
  from: instantText,
  to: instantText,
  tz: z.string(),
  rows: z.array(z.record(z.string(), value)),
  totals: z.record(z.string(), value),
  coverage: z.record(z.enum(bases), z.object({ calls: count, cost: usd })),
}
export const querySchema = z.object({ ...answer, previous: z.object(answer).optional() }).openapi('QueryAnswer')

const line = z
  .object({
    unit,
    count,
    rateUsd: usd,
    per: count,
    multiplier: z.string().optional(),
    pricedAs: unit.optional(),
    totalUsd: usd,
  })
  .openapi('Line')

export const chargeSchema = z
  .union([
    z.object({
      basis: z.literal('unpriced'),
      reason: z.enum(['unknown-model', 'not-yet-priced', 'unpriced-unit', 'missing-usage', 'unpriced-tool']),
    }),
    z.object({
      basis: z.enum(bases).exclude(['unpriced']),
      totalUsd: usd,
      lines: z.array(line),
      book: z.string().optional(),
      computedUsd: usd.optional(),
      unpricedUnits: z.array(unit).optional(),
    }),
  ])
  .openapi('Charge')

const call = {
  ...attribution,
  id: name,
  at: instantText,
  source: z.enum(sources),
  status: z.enum(callStatuses),
  error: name.optional(),
  durationMs: z.number().optional(),
  attempt: count,
  callKey: name.optional(),
  charge: chargeSchema,
  corrects: name.optional(),
  reason: z.string().optional(),
}
const modelCall = z.object({
  ...call,
  kind: z.literal('llm'),
  provider: name,
  model: name,
  requestedModel: name.optional(),
  operation: name.optional(),
  tier: name.optional(),
  speed: name.optional(),
  region: name.optional(),
  usage,
  quality: z.enum(['complete', 'partial', 'estimated', 'missing']),
  flags: z.array(z.enum(usageFlags)).optional(),
  promptTokens: count,
  completionTokens: count,
  firstByteMs: z.number().optional(),
  promptHash: name.optional(),
})
const toolCall = z.object({ ...call, kind: z.literal('tool'), tool: name })
export const callSchema = z.discriminatedUnion('kind', [modelCall, toolCall]).openapi('Call')
const costSoFarUsd = usd
const runCall = z.discriminatedUnion('kind', [modelCall.extend({ costSoFarUsd }), toolCall.extend({ costSoFarUsd })]).openapi('RunCall')

export const runSchema = z
  .object({
    run: name,
    parent: name.optional(),
    ...runAttribution,
    startedAt: instantText,
    endedAt: instantText,
    durationMs: count,
    isOpen: z.boolean(),
    status: z.enum(runStatuses).optional(),
    stopReason: z.enum(stopReasons).optional(),
    budgetUsd: usd.optional(),
    costUsd: usd,
    llmCostUsd: usd,
    toolCostUsd: usd,
    calls: count,
    llmCalls: count,
    toolCalls: count,
    retries: count,
    errors: count,
    tokens: count,
    promptTokens: count,
    completionTokens: count,
    unpricedCalls: count,
  })
  .openapi('Run')

const period = { from: instantText, to: instantText }
const next = z.string().optional().openapi({ description: 'The `after` of the following page; absent on the last one.' })

export const runsSchema = z.object({ ...period, runs: z.array(runSchema), next }).openapi('RunsAnswer')
export const runDetailSchema = z
  .object({ run: runSchema, calls: z.array(runCall), hasMore: z.boolean(), children: z.array(runSchema) })
  .openapi('RunDetail')
export const entriesSchema = z.object({ ...period, entries: z.array(callSchema), next }).openapi('EntriesAnswer')

const session = z
  .object({
    session: name,
    startedAt: instantText,
    endedAt: instantText,
    durationMs: count,
    runs: count,
    calls: count,
    retries: count,
    errors: count,
    costUsd: usd.nullable(),
    tokens: bigCount,
    promptTokens: bigCount,
    completionTokens: bigCount,
    unpricedCalls: count,
    partialCalls: count,
    estimatedCalls: count,
  })
  .openapi('Session')
export const sessionsSchema = z.object({ ...period, sessions: z.array(session), next }).openapi('SessionsAnswer')
export const sessionDetailSchema = z.object({ ...period, session, runs: z.array(runSchema), next }).openapi('SessionDetail')

export const quoteRequestSchema = z
  .looseObject({
    dialect: name.optional(),
    provider: name.optional(),
    model: name.optional(),
    at: z.union([z.string(), z.number()]).optional(),
    headers: z.record(z.string(), z.unknown()).optional(),
    body: z.unknown().optional(),
    stream: z.string().optional(),
    usage: usage.optional(),
  })
  .openapi('QuoteRequest')
export const quoteSchema = z
  .object({
    provider: name.optional(),
    model: name.optional(),
    dialect: name.optional(),
    recognised: z.boolean().optional(),
    usage,
    quality: z.enum(['complete', 'partial', 'estimated', 'missing']).optional(),
    flags: z.array(z.enum(usageFlags)).optional(),
    charge: chargeSchema,
  })
  .openapi('Quote')

export const aboutSchema = z
  .object({
    version: z.string(),
    now: instantText,
    startedAt: instantText,
    book: z.string(),
    needsKey: z.boolean(),
    ledger: z.object({ engine: z.string(), version: z.string(), schema: count, entries: count, bytes: count }),
    has: z.object({
      budgets: z.boolean(),
      alerts: z.boolean(),
      alertRules: z.boolean(),
      forecast: z.boolean(),
      selfCheck: z.boolean(),
      readings: z.boolean(),
      prices: z.boolean(),
      gateway: z.boolean(),
    }),
  })
  .openapi('About')
export const healthSchema = z.object({ status: z.literal('ok'), version: z.string() }).openapi('Health')
export const readySchema = z.object({ status: z.enum(['ready', 'not-ready']), reason: z.string().optional() }).openapi('Ready')
