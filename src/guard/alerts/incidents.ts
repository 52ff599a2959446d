import { type Breakdown, type Filter, isBreakdown } from '../../core/question.ts'
import type { AlertRecord, Severity } from '../../ledger/alert-store.ts'
import type { Evidence } from './evidence.ts'
import { filtersOf } from './finding-text.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** An incident that was told is not told again for this long after its end. */
const rememberedMs = dayMs
/** What makes a run dearer stays until somebody repairs it: it is found again every busy day, and that is no other incident. */
const lastingMs = 7 * dayMs
/** Incidents that one alert is compared with; the latest. */
const comparedMax = 20
/** So much of the smaller one has to lie in the other. */
const overlapMin = 0.5

const ranks: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 }

/**
 * The alert that has already told of what this one found: the same cause, for calls that are mostly the same ones. One mistake in
 * a price, or one prompt that grew, is seen by several rules, and people should hear of it once. What is graver than what was
 * told is told in any case. Undefined for an incident of its own.
 */
export const incidentOf = async (
  alert: AlertRecord,
  known: Iterable<AlertRecord>,
  evidence: Pick<Evidence, 'rows' | 'zone'>,
  now: number,
): Promise<string | undefined> => {
  if (alert.cause === undefined) return undefined
  const candidates = [...known]
    .filter((other) => isCandidate(alert, other, now))
    .sort((left, right) => (right.firedAt ?? 0) - (left.firedAt ?? 0))
    .slice(0, comparedMax)
  // At the same time, so that what is asked of each is asked together.
  const isSame = await Promise.all(candidates.map((other) => isSameIncident(alert, other, evidence, now)))
  const told = candidates.find((_, index) => isSame[index])
  return told && (told.partOf ?? told.id)
}

const isCandidate = (alert: AlertRecord, other: AlertRecord, now: number): boolean => {
  if (other.id === alert.id || other.firedAt === undefined || other.cause !== alert.cause) return false
  if (ranks[other.severity] < ranks[alert.severity]) return false
  const isSameRule = other.rule === alert.rule && other.key === alert.key
  // What was told as part of another says too little of what it is part of.
  if (other.partOf !== undefined && !isSameRule) return false
  if (other.state === 'firing') return true
  // A run that goes wrong now is not the one that went wrong yesterday.
  if ('run' in alert.segment) return false
  const isLasting = alert.cause === 'price' || (isSameRule && alert.cause !== 'traffic')
  return now - (other.resolvedAt ?? 0) < (isLasting ? lastingMs : rememberedMs)
}

const isSameIncident = async (
  alert: AlertRecord,
  other: AlertRecord,
  { rows, zone }: Pick<Evidence, 'rows' | 'zone'>,
  now: number,
): Promise<boolean> => {
  // A price is the model's, whoever uses it.
  if (alert.cause === 'price' && alert.model !== undefined) return alert.model === other.model
  const [mine, theirs] = [filtersOfSegment(alert), filtersOfSegment(other)]
  // A call has one value of an attribute.
  if (mine.some((filter) => theirs.some(({ by, values }) => by === filter.by && values[0] !== filter.values[0]))) return false
  if (mine.length === 0 || theirs.length === 0) return true
  const from = Math.min(now, other.firedAt ?? now) - dayMs
  const costOf = async (where: readonly Filter[]): Promise<number> =>
    Number((await rows({ measures: ['cost'], by: [], where, from, to: now + 1, zone }))[0]?.cost)
  const [one, both, two] = await Promise.all([costOf(mine), costOf([...theirs, ...mine]), costOf(theirs)])
  return both > 0 && both >= overlapMin * Math.min(one, two)
}

const filtersOfSegment = ({ segment }: AlertRecord): readonly Filter[] =>
  filtersOf(Object.fromEntries(Object.entries(segment).filter(([name]) => isBreakdown(name as Breakdown))))
