import { z } from 'zod'
import { offsetAt } from '../core/window.ts'

/** One thing that can be set: in `taximeter.yaml` by its name, in the environment by TAXIMETER_ and its name in capitals. */
export interface Setting<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema
  readonly about: string
  readonly isSecret?: true
}

const setting = <Schema extends z.ZodType>(schema: Schema, about: string, more?: { isSecret: true }): Setting<Schema> => ({
  schema,
  about,
  ...more,
})

const isZone = (name: string): boolean => {
  try {
    offsetAt(0, name)
    return name !== ''
  } catch {
    return false
  }
}

const port = z.coerce.number().int().min(0).max(65_535)
const list = z.array(z.record(z.string(), z.unknown())).max(1_000)
const table = z.record(z.string(), z.unknown())
const bytes = z.coerce.number().int().min(1_024).max(1_073_741_824)

/**
 * The one list of settings. Their documentation (docs/reference/configuration.md), the environment's names and the checks all
 * come from here. Lists of budgets, keys, upstreams and prices are only shaped here; the part that owns them reads them.
 */
export const settings = {
  host: setting(z.string().min(1).default('127.0.0.1'), 'Address to listen on. Anything but loopback needs `keys`.'),
  port: setting(port.default(4141), 'Port to listen on; 0 takes a free one.'),
  data: setting(z.string().min(1).default('./taximeter.db'), "The ledger's SQLite file."),
  durability: setting(
    z.enum(['full', 'normal']).default('normal'),
    '`normal`: what is acknowledged survives a crash of the process; `full`: also a loss of power, at the cost of one disk flush per commit.',
  ),
  zone: setting(
    z.string().refine(isZone, 'a time zone such as Europe/Berlin or UTC').default('UTC'),
    'Time zone in which days, weeks and months are cut where a question or a budget names none.',
  ),
  dailyBudgetUsd: setting(
    z.coerce
      .string()
      .regex(/^\d{1,9}(\.\d{1,12})?$/, 'dollars as a decimal such as 5 or 2.50')
      .default('5'),
    'Dollars a day at which a warning is logged, once per day. 0 turns it off.',
  ),
  bodyBytesMax: setting(bytes.default(16_777_216), 'Largest request body that the ingest routes take.'),
  logLevel: setting(
    z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
    'How much is logged, as JSON lines on standard error.',
  ),
  meterFailure: setting(
    z.enum(['pass', 'block']).default('pass'),
    'What the gateway does with a call while the ledger cannot take its event.',
  ),
  hashKey: setting(z.string().min(16).optional(), 'Key of the prompt hashes that the gateway makes. Absent: a new one at every start.', {
    isSecret: true,
  }),
  keys: setting(list.default([]), 'Client keys: `{id, hash, ...attribution}`; see docs/guides/gateway.md.'),
  upstreams: setting(
    list.default([]),
    'Further upstreams of the gateway, or other settings for a known one; see docs/reference/gateway.md.',
  ),
  budgets: setting(list.default([]), 'Budgets: `{name, scope, limit, per, ...}`; see docs/reference/budgets.md.'),
  alerts: setting(list.default([]), 'Rules of alerts: `{name, kind, ...}`; see docs/reference/alerts.md.'),
  defaultAlerts: setting(
    z.union([z.enum(['all', 'none']), z.array(z.string()).max(100)]).default('all'),
    'Which default rules hold besides: `all`, `none`, or a list of their names. A rule of `alerts` takes the place of the default one of its name.',
  ),
  silences: setting(list.default([]), 'Alerts that nobody wants to hear of for a while: `{rule?, segment?, from?, until}`.'),
  notifiers: setting(list.default([]), 'Who is told: `{name, type, ...}`; see docs/reference/alerts.md. The log is always told.'),
  dashboardUrl: setting(z.url().optional(), 'Address of the dashboard as people reach it, for links in messages.'),
  prices: setting(table.default({}), 'Own models, aliases, discounts and rates; see docs/reference/prices.md.'),
  tools: setting(table.default({}), 'Prices of tools, by name; see docs/reference/prices.md.'),
} as const

export type SettingName = keyof typeof settings
export type Config = { readonly [Name in SettingName]: z.infer<(typeof settings)[Name]['schema']> }

export const settingNames = Object.keys(settings) as readonly SettingName[]

/** `bodyBytesMax` → `TAXIMETER_BODY_BYTES_MAX`. */
export const environmentNameOf = (name: string): string => `TAXIMETER_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
