import type { PicoUsd } from '../core/money.ts'
import type { Unit } from '../core/units.ts'
import type { UsageFlag, UsageQuality } from '../core/usage.ts'
import { createTally, flag, put, qualityOf, type Tally } from './counts.ts'
import type { UsageReport } from './dialect.ts'

/** What an answer says besides its counts; undefined is absent, so that a dialect may hand on whatever it found. */
export interface Facts {
  readonly model?: string | undefined
  readonly responseId?: string | undefined
  readonly tier?: string | undefined
  readonly speed?: string | undefined
  readonly region?: string | undefined
  readonly reportedCost?: PicoUsd | undefined
  readonly machineMs?: number | undefined
  readonly error?: string | undefined
  readonly also?: UsageReport['also'] | undefined
}

type Draft = { -readonly [Name in keyof UsageReport]: UsageReport[Name] }

export const reportOf = (tally: Tally, facts: Facts, quality: UsageQuality = qualityOf(tally)): UsageReport => {
  const report: Draft = { usage: tally.units, quality, flags: tally.flags }
  if (facts.model !== undefined) report.model = facts.model
  if (facts.responseId !== undefined) report.responseId = facts.responseId
  if (facts.tier !== undefined) report.tier = facts.tier
  if (facts.speed !== undefined) report.speed = facts.speed
  if (facts.region !== undefined) report.region = facts.region
  if (facts.reportedCost !== undefined) report.reportedCost = facts.reportedCost
  if (facts.machineMs !== undefined) report.machineMs = facts.machineMs
  if (facts.error !== undefined) report.error = facts.error
  if (facts.also !== undefined && facts.also.length > 0) report.also = facts.also
  return report
}

export const withFlags = (report: UsageReport, flags: readonly UsageFlag[]): UsageReport =>
  flags.length === 0 ? report : { ...report, flags: [...new Set([...report.flags, ...flags])] }

/** Several answers as one: their counts, what was odd about any of them, and their cost where each says its own. */
export const sumOfReports = (reports: readonly UsageReport[]): UsageReport => {
  const tally = createTally()
  let cost: bigint | undefined = 0n
  let isEstimate = false
  for (const report of reports) {
    for (const name of report.flags) flag(tally, name)
    for (const [unit, count] of Object.entries(report.usage)) put(tally, unit as Unit, count ?? 0)
    if (report.quality !== 'missing') tally.isKnown = true
    if (report.quality === 'partial') tally.isLossy = true
    if (report.quality === 'estimated') isEstimate = true
    cost = cost === undefined || report.reportedCost === undefined ? undefined : cost + report.reportedCost
  }
  const reportedCost = reports.length === 0 ? undefined : (cost as PicoUsd | undefined)
  return reportOf(tally, { reportedCost }, isEstimate ? 'estimated' : qualityOf(tally))
}

/** What is known of an answer that was cut is no longer complete. */
export const partialReport = (report: UsageReport): UsageReport =>
  report.quality === 'complete' ? { ...report, quality: 'partial' } : report

/** An answer that cannot be read at all (a page of HTML, a number): nothing is known, and that is said. */
export const unreadable = (): UsageReport => ({ usage: {}, quality: 'missing', flags: ['malformed-chunk'] })
