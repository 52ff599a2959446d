import type { CallStatus } from '../core/event.ts'
import { derivedEventId } from '../core/event-id.ts'
import { formatUsd } from '../core/money.ts'
import type { UsageFlag } from '../core/usage.ts'
import type { EventJson } from '../intake/event-json.ts'
import { billedModelOf } from '../providers/billed-model.ts'
import type { UsageReport } from '../providers/dialect.ts'
import type { Scope } from './runs.ts'

/** How a call ended, and what its answer told. */
export interface Ending {
  readonly status: CallStatus
  readonly error?: string | undefined
  readonly report?: UsageReport | undefined
  /** Names the answer where its body does not. */
  readonly requestId?: string | undefined
  readonly flags?: readonly UsageFlag[]
}

export interface CallFacts {
  readonly id: string
  readonly at: number
  readonly scope: Scope
  readonly provider: string
  readonly requestedModel: string | undefined
  readonly operation: string | undefined
  readonly attempt: number
  readonly promptHash: string | undefined
}

/** A model call under way. It ends once, whoever says so first. */
export interface Call {
  readonly isOver: boolean
  sawFirstByte(): void
  end(ending: Ending): void
  /** It was no model call after all. */
  forget(): void
}

export const createCall = (
  facts: CallFacts,
  ended: (events: readonly EventJson[], status: CallStatus) => void,
  forgotten: () => void,
): Call => {
  const started = performance.now()
  let firstByteMs: number | undefined
  let isOver = false
  return {
    get isOver() {
      return isOver
    },
    sawFirstByte() {
      firstByteMs ??= Math.round(performance.now() - started)
    },
    end(ending) {
      if (isOver) return
      isOver = true
      ended(eventsOf(facts, ending, { durationMs: Math.round(performance.now() - started), firstByteMs }), ending.status)
    },
    forget() {
      if (isOver) return
      isOver = true
      forgotten()
    },
  }
}

interface Latency {
  readonly durationMs: number
  readonly firstByteMs: number | undefined
}

/** The call's event, and one for each other model that was billed inside the same answer. */
const eventsOf = (facts: CallFacts, ending: Ending, latency: Latency): readonly EventJson[] => {
  const { report, status } = ending
  const base = {
    ...facts.scope.attribution,
    at: facts.at,
    kind: 'llm',
    source: 'sdk',
    provider: facts.provider,
    attempt: facts.attempt,
    status,
    ...(facts.operation !== undefined && { operation: facts.operation }),
  } as const
  const key = report?.responseId ?? ending.requestId
  const main: EventJson = {
    ...base,
    id: facts.id,
    model: short(billedModelOf(facts.provider, report?.model, facts.requestedModel) ?? 'unknown'),
    ...(facts.requestedModel !== undefined && { requestedModel: short(facts.requestedModel) }),
    ...usageOf(report, status, ending.flags),
    ...(ending.error !== undefined && { error: short(ending.error) }),
    durationMs: latency.durationMs,
    ...(latency.firstByteMs !== undefined && { firstByteMs: latency.firstByteMs }),
    ...(facts.promptHash !== undefined && { promptHash: facts.promptHash }),
    ...(key !== undefined && { callKey: `${facts.provider}:${key}`.slice(0, 400) }),
  }
  const others = (report?.also ?? []).map((also, index): EventJson => {
    const step = index + 1
    return {
      ...base,
      id: derivedEventId(facts.id, step),
      model: short(also.model),
      ...usageOf(also, status),
      ...(key !== undefined && { callKey: `${`${facts.provider}:${key}`.slice(0, 390)}#${step}` }),
    }
  })
  return [main, ...others]
}

const usageOf = (report: UsageReport | undefined, status: CallStatus, more: readonly UsageFlag[] = []): Partial<EventJson> => {
  const flags = [...(report?.flags ?? []), ...more]
  const known = report?.quality ?? 'missing'
  // An error that says nothing of usage has none: providers bill answers. Of any other answer it is missing, and of one that began
  // and broke off as well.
  const isBroken = report?.error === undefined && flags.includes('truncated-stream')
  const quality = known === 'missing' && status === 'error' && !isBroken ? 'complete' : known
  return {
    usage: report?.usage ?? {},
    quality,
    ...(flags.length > 0 && { flags: [...new Set(flags)] }),
    ...(report?.tier !== undefined && { tier: short(report.tier) }),
    ...(report?.speed !== undefined && { speed: short(report.speed) }),
    ...(report?.region !== undefined && { region: short(report.region) }),
    ...(report?.reportedCost !== undefined && { reportedCostUsd: formatUsd(report.reportedCost) }),
  }
}

/** What a provider names itself, in the length that the ledger takes. */
const short = (text: string): string => text.slice(0, 200)
