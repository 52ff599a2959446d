import type { ModelCall, UsageEvent } from '../core/event.ts'
import { derivedEventId } from '../core/event-id.ts'
import type { UsageFlag } from '../core/usage.ts'
import type { UsageReport } from '../providers/dialect.ts'
import { readUsage } from '../providers/read-usage.ts'
import { Rejection } from './parse-event.ts'

/**
 * An event whose usage its client passed on as the provider wrote it (`rawUsage`, with or without `dialect`) → the event with its
 * usage read, and one further event for each other model that was billed inside the same answer. Any other event as it is.
 */
export const withRawUsage = (event: UsageEvent, json: unknown): readonly UsageEvent[] => {
  if (event.kind !== 'llm') return [event]
  const { rawUsage, dialect, usage } = json as { readonly rawUsage?: unknown; readonly dialect?: unknown; readonly usage?: unknown }
  if (rawUsage === undefined || rawUsage === null || (usage !== undefined && usage !== null)) return [event]
  const reading = readUsage({ rawUsage, provider: event.provider, ...(typeof dialect === 'string' && { dialect }) })
  if ('failure' in reading) {
    if (reading.failure === 'malformed')
      throw new Rejection('bad-usage', '"rawUsage" should be the object in which the provider told its usage.')
    throw new Rejection(
      'unknown-dialect',
      '"rawUsage" is of no dialect that is known. Name its "dialect" (docs/reference/dialects.md), or send "usage".',
    )
  }
  const { also = [], ...report } = reading
  return [withReport(event, report), ...also.map((part, index) => furtherCall(event, part, index + 1))]
}

/** What the report says stands where the event itself says nothing. */
const withReport = (event: ModelCall, report: UsageReport): ModelCall => {
  const flags = [...new Set<UsageFlag>([...(event.flags ?? []), ...report.flags])]
  return {
    ...event,
    usage: report.usage,
    quality: report.quality,
    ...(flags.length > 0 && { flags }),
    ...(event.tier === undefined && report.tier !== undefined && { tier: report.tier }),
    ...(event.speed === undefined && report.speed !== undefined && { speed: report.speed }),
    ...(event.region === undefined && report.region !== undefined && { region: report.region }),
    ...(event.reportedCost === undefined && report.reportedCost !== undefined && { reportedCost: report.reportedCost }),
    ...(event.durationMs === undefined && report.machineMs !== undefined && { durationMs: report.machineMs }),
  }
}

/** Another model inside the same answer, under an id and a key of its own that follow from the main call's. */
const furtherCall = (event: ModelCall, part: UsageReport & { readonly model: string }, index: number): ModelCall => {
  const { reportedCost: _, callKey, ...main } = event
  return {
    ...withReport({ ...main, flags: [] }, part),
    model: part.model,
    id: derivedEventId(event.id, index),
    ...(callKey !== undefined && { callKey: `${callKey}#${index}` }),
  }
}
