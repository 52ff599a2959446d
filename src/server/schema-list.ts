import { z } from '@hono/zod-openapi'
import * as outlook from './forecast-schemas.ts'
import * as guard from './guard-schemas.ts'
import * as ask from './schemas.ts'

/** What travels, by name. Only /openapi.json and the tests load this. */
export const schemas = {
  Error: ask.errorSchema,
  Events: z.union([z.array(ask.eventSchema), ask.eventSchema]),
  IngestAnswer: ask.ingestSchema,
  QueryAnswer: ask.querySchema,
  RunsAnswer: ask.runsSchema,
  RunDetail: ask.runDetailSchema,
  EntriesAnswer: ask.entriesSchema,
  SessionsAnswer: ask.sessionsSchema,
  SessionDetail: ask.sessionDetailSchema,
  QuoteRequest: ask.quoteRequestSchema,
  Quote: ask.quoteSchema,
  About: ask.aboutSchema,
  Health: ask.healthSchema,
  Ready: ask.readySchema,
  OpenApi: z.looseObject({ openapi: z.string() }),
  BudgetsAnswer: guard.budgetsSchema,
  ReserveRequest: guard.reserveRequestSchema,
  Reserved: guard.reserveSchema,
  Refused: guard.refusedSchema,
  SettleRequest: guard.settleRequestSchema,
  SettleAnswer: guard.settleSchema,
  AlertsAnswer: guard.alertsSchema,
  ReadingsAnswer: guard.readingsSchema,
  ForecastAnswer: outlook.forecastSchema,
  AlertRulesAnswer: outlook.alertRulesSchema,
  SelfCheckAnswer: outlook.selfCheckSchema,
  PricesAnswer: guard.pricesSchema,
  PriceDetail: guard.priceDetailSchema,
}
export type SchemaName = keyof typeof schemas
