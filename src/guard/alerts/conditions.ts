import { baselineOf, surpriseOf } from '../../analysis/baseline.ts'
import { explain } from '../../analysis/explain.ts'
import { causesText } from '../../analysis/readings.ts'
import { type Ask, askSpendings, countOf } from '../../analysis/spending.ts'
import type { AnswerRow, Value } from '../../core/answer.ts'
import type { BudgetStatus } from '../../core/budget.ts'
import { formatUsd, picoUsd } from '../../core/money.ts'
import type { Breakdown, Filter, Measure, Question } from '../../core/question.ts'
import { grouped, readableUsd } from '../../core/readable.ts'
import { startOf } from '../../core/window.ts'
import type { Finding } from './alert-states.ts'
import type { RunCosts } from './release-condition.ts'
import { releaseFindings } from './release-condition.ts'
import type { Condition, Rule } from './rule.ts'

/** What conditions look at. All of it can be put to any instant of the past, so that a rule can be tried on what has been. */
export interface Evidence {
  readonly ask: Ask
  /** Costs of single runs, for the rank test. */
  readonly runCosts: RunCosts
  readonly now: number
  readonly zone: string
  readonly budgets: () => readonly BudgetStatus[]
}

type Of<Kind extends Condition['kind']> = Extract<Condition, { kind: Kind }>

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** The segments for which the rule's condition holds at `evidence.now`. Conditions on single calls (request, repeat) are watched by call-watch.ts. */
export const findingsOf = async (rule: Rule, evidence: Evidence): Promise<readonly Finding[]> => {
  const { condition } = rule
  switch (condition.kind) {
    case 'threshold':
      return thresholds(rule, condition, evidence)
    case 'change':
      return changes(rule, condition, evidence)
    case 'burn':
      return burns(condition, evidence)
    case 'baseline':
      return surprises(rule, condition, evidence)
    case 'release':
      return releaseFindings(rule, condition, evidence)
    case 'new':
      return newcomers(rule, condition, evidence)
    case 'unpriced':
      return unpriced(rule, condition, evidence)
    case 'coverage':
      return coverage(rule, condition, evidence)
    case 'silent':
      return silences(rule, condition, evidence)
    case 'request':
    case 'repeat':
      return []
    default:
      return condition satisfies never
  }
}

const thresholds = async (
  rule: Rule,
  { measure, windowMs, above, below, callsMin }: Of<'threshold'>,
  evidence: Evidence,
): Promise<readonly Finding[]> => {
  const question = questionOf(rule, evidence, [measure, 'cost', 'calls'], windowMs)
  const { rows } = await evidence.ask(question)
  const limit = above ?? below ?? 0
  return rows
    .filter((row) => {
      const value = row[measure]
      if (value === null || value === undefined || countOf(row, 'calls') < callsMin || Number(row.cost) < rule.floorUsd) return false
      return above === undefined ? Number(value) < limit : Number(value) > limit
    })
    .map((row) => {
      const value = row[measure] ?? null
      const message = `${nameOf(rule, row)}: ${measure} was ${shown(measure, value)} in the last ${spanText(windowMs)}, ${above === undefined ? 'below' : 'above'} ${shown(measure, limit)}.`
      return { segment: segmentOf(rule.by, row), value: String(value), threshold: String(limit), message, query: queryOf(question) }
    })
}

const changes = async (
  rule: Rule,
  { measure, windowMs, rise, callsMin }: Of<'change'>,
  evidence: Evidence,
): Promise<readonly Finding[]> => {
  const question = questionOf(rule, evidence, [measure, 'cost', 'calls'], windowMs)
  const earlier = { ...question, from: question.from - windowMs, to: question.from }
  const [{ rows }, before] = await Promise.all([evidence.ask(question), evidence.ask(earlier)])
  const findings: Finding[] = []
  for (const row of rows) {
    const was = before.rows.find((each) => rule.by.every((name) => each[name] === row[name]))
    const [old, now] = [Number(was?.[measure] ?? 0), Number(row[measure] ?? 0)]
    if (was === undefined || old <= 0 || countOf(was, 'calls') < callsMin || countOf(row, 'calls') < callsMin) continue
    if (Number(row.cost) < rule.floorUsd || now / old - 1 <= rise) continue
    const message = `${nameOf(rule, row)}: ${measure} rose ${percent(now / old - 1)} against the ${spanText(windowMs)} before (${shown(measure, was[measure] ?? null)} → ${shown(measure, row[measure] ?? null)}).${await movedText(rule, row, question, earlier, evidence)}`
    findings.push({
      segment: segmentOf(rule.by, row),
      value: String(now),
      threshold: String(old * (1 + rise)),
      message,
      query: queryOf(question),
    })
  }
  return findings
}

/** A share of a budget's limit within the long window and the same pace within the short one: fast now, and not just for a moment. */
const burns = async ({ pairs }: Of<'burn'>, evidence: Evidence): Promise<readonly Finding[]> => {
  const findings: Finding[] = []
  for (const budget of evidence.budgets()) {
    if (budget.unit !== 'usd' || Number(budget.limit) <= 0) continue
    const where = budget.scope === 'all' ? [] : [{ by: budget.scope as Breakdown, values: [budget.value ?? null] }]
    const spent = async (spanMs: number) =>
      Number(
        (await evidence.ask({ measures: ['cost'], by: [], where, from: evidence.now - spanMs, to: evidence.now + 1, zone: evidence.zone }))
          .totals.cost,
      )
    for (const { share, longMs, shortMs } of pairs) {
      // Burning at exactly the pace at which the budget lasts is normal; a pair must ask for more than that.
      const pace = longMs / windowMsOf(budget)
      const alarming = Math.max(share, pace * 1.5) * Number(budget.limit)
      const long = await spent(longMs)
      if (long < alarming || (await spent(shortMs)) < (alarming * shortMs) / longMs) continue
      findings.push({
        segment: { budget: budget.name, ...(budget.value !== undefined && { [budget.scope]: budget.value }) },
        value: long.toFixed(12),
        threshold: alarming.toFixed(12),
        message: `Budget “${budget.name}”${budget.value === undefined ? '' : ` of ${budget.value}`}: ${percent(long / Number(budget.limit))} of its ${readableUsd(budget.limit)} went in the last ${spanText(longMs)}, and it goes on.${budget.exhaustsAt === undefined ? '' : ` At this rate it is spent at ${budget.exhaustsAt.slice(0, 16)}Z.`}`,
        query: queryOf({
          measures: ['cost'],
          by: ['agent'],
          where,
          from: evidence.now - longMs,
          to: evidence.now + 1,
          zone: evidence.zone,
        }),
        window: String(startOf('hour', evidence.now, evidence.zone)),
      })
      break
    }
  }
  return findings
}

const windowMsOf = ({ window }: BudgetStatus): number => {
  if (window.kind === 'total') return 365 * dayMs
  if (window.kind === 'rolling') return { '1h': hourMs, '24h': dayMs, '7d': 7 * dayMs, '30d': 30 * dayMs }[window.span]
  return { hour: hourMs, day: dayMs, week: 7 * dayMs, month: 30 * dayMs }[window.interval]
}

/** The last hour of each segment against the same hours of the weeks before. */
const surprises = async (rule: Rule, { distance }: Of<'baseline'>, evidence: Evidence): Promise<readonly Finding[]> => {
  const end = evidence.now + 1
  const weeks = 4
  // Hours are counted back from now, so that the last one is whole.
  const from = end - (weeks * 168 + 1) * hourMs
  const offset = (end - from) % hourMs
  const { rows } = await evidence.ask({
    measures: ['cost'],
    by: rule.by,
    where: rule.where,
    interval: '15m',
    from: from + offset,
    to: end,
    zone: 'UTC',
  })
  const findings: Finding[] = []
  for (const [key, series] of hourlySeries(rows, rule.by, from, end)) {
    const came = series.pop() ?? 0
    const firstSpent = series.findIndex((value) => value > 0)
    const baseline = firstSpent < 0 ? undefined : baselineOf(series.slice(firstSpent))
    const surprise = baseline && surpriseOf(came, baseline, Math.max(rule.floorUsd, 0.01), distance)
    if (baseline === undefined || surprise === undefined) continue
    const segment = JSON.parse(key) as Readonly<Record<string, string>>
    const question = {
      measures: ['cost', 'runs'] as const,
      by: ['model'] as const,
      where: [...rule.where, ...filtersOf(segment)],
      from: evidence.now - hourMs,
      to: end,
      zone: evidence.zone,
    }
    const weekBefore = { ...question, from: question.from - 7 * dayMs, to: question.to - 7 * dayMs }
    findings.push({
      segment,
      value: came.toFixed(12),
      threshold: (baseline.expected + distance * baseline.spread).toFixed(12),
      message: `${segmentText(segment)}: the last hour cost ${readableUsd(usd(came))}; ${readableUsd(usd(baseline.expected))} ± ${readableUsd(usd(baseline.spread))} is usual for this hour of the ${baseline.season} (${baseline.samples} before it).${await movedText(rule, segment, question, weekBefore, evidence)}`,
      query: queryOf(question),
    })
  }
  return findings
}

/** Quarter hours of each segment as whole hours that end with the period, oldest first, in dollars; an hour without calls is zero. */
const hourlySeries = (rows: readonly AnswerRow[], by: readonly Breakdown[], from: number, end: number): ReadonlyMap<string, number[]> => {
  const hours = Math.round((end - from) / hourMs)
  const found = new Map<string, number[]>()
  for (const row of rows) {
    const key = JSON.stringify(segmentOf(by, row))
    const series = found.get(key) ?? Array(hours).fill(0)
    found.set(key, series)
    const hour = Math.min(hours - 1, Math.max(0, Math.floor((Date.parse(String(row.bucket)) + 15 * 60_000 - 1 - from) / hourMs)))
    series[hour] = (series[hour] ?? 0) + Number(row.cost)
  }
  return found
}

const newcomers = async (rule: Rule, { attribute, windowMs }: Of<'new'>, evidence: Evidence): Promise<readonly Finding[]> => {
  const recent: Question = {
    measures: ['calls', 'cost'],
    by: [attribute],
    where: rule.where,
    from: evidence.now - windowMs,
    to: evidence.now + 1,
    zone: evidence.zone,
  }
  const [{ rows }, before] = await Promise.all([
    evidence.ask(recent),
    evidence.ask({ ...recent, from: recent.from - 30 * dayMs, to: recent.from }),
  ])
  // In a ledger that has only begun everything is new, and nothing is news.
  if (before.rows.length === 0) return []
  const known = new Set(before.rows.map((row) => row[attribute]))
  return rows
    .filter((row) => row[attribute] !== null && !known.has(row[attribute]) && Number(row.cost) >= rule.floorUsd)
    .map((row) => ({
      segment: { [attribute]: String(row[attribute]) },
      value: String(row[attribute]),
      threshold: 'unseen for 30 days',
      message: `The ${attribute} “${row[attribute]}” was first used: ${row.calls} calls, ${readableUsd(String(row.cost))} in the last ${spanText(windowMs)}.`,
      query: queryOf(recent),
      window: String(row[attribute]),
    }))
}

const unpriced = async (rule: Rule, { windowMs }: Of<'unpriced'>, evidence: Evidence): Promise<readonly Finding[]> => {
  const by: readonly Breakdown[] = rule.by.length === 0 ? ['model'] : rule.by
  const question: Question = {
    measures: ['calls', 'tokens'],
    by,
    where: [...rule.where, { by: 'basis', values: ['unpriced'] }],
    from: evidence.now - windowMs,
    to: evidence.now + 1,
    zone: evidence.zone,
  }
  const { rows } = await evidence.ask(question)
  return rows.map((row) => ({
    segment: segmentOf(by, row),
    value: String(row.calls),
    threshold: '0',
    message: `${segmentText(segmentOf(by, row))}: ${row.calls} calls in the last ${spanText(windowMs)} have no price (${grouped(String(row.tokens))} tokens). They are in no total. Add the model's price under "prices" in taximeter.yaml.`,
    query: queryOf(question),
    window: String(startOf('day', evidence.now, evidence.zone)),
  }))
}

const coverage = async (rule: Rule, { below, windowMs, callsMin }: Of<'coverage'>, evidence: Evidence): Promise<readonly Finding[]> => {
  const question: Question = {
    measures: ['calls'],
    by: [],
    where: rule.where,
    from: evidence.now - windowMs,
    to: evidence.now + 1,
    zone: evidence.zone,
  }
  const { coverage: found } = await evidence.ask(question)
  const sure = found.reported.calls + found.computed.calls
  const all = sure + found.partial.calls + found.estimated.calls + found.unpriced.calls
  if (all < callsMin || sure / all >= below) return []
  const message = `${percent(sure / all)} of ${all} calls in the last ${spanText(windowMs)} have a sure cost, less than ${percent(below)}: ${found.partial.calls} partial, ${found.estimated.calls} estimated, ${found.unpriced.calls} unpriced.`
  return [
    {
      segment: {},
      value: (sure / all).toFixed(4),
      threshold: String(below),
      message,
      query: queryOf(question),
      window: String(startOf('day', evidence.now, evidence.zone)),
    },
  ]
}

/** An agent that called in most hours of the day before its silence, and not since. */
const silences = async (rule: Rule, { afterMs }: Of<'silent'>, evidence: Evidence): Promise<readonly Finding[]> => {
  const quietFrom = evidence.now - afterMs
  const busy = await evidence.ask({
    measures: ['calls'],
    by: ['agent'],
    interval: 'hour',
    where: rule.where,
    from: quietFrom - dayMs,
    to: quietFrom,
    zone: 'UTC',
  })
  const recent = await evidence.ask({
    measures: ['calls'],
    by: ['agent'],
    where: rule.where,
    from: quietFrom,
    to: evidence.now + 1,
    zone: 'UTC',
  })
  const hours = new Map<string, number>()
  for (const { agent } of busy.rows)
    if (agent !== null && agent !== undefined) hours.set(String(agent), (hours.get(String(agent)) ?? 0) + 1)
  const heard = new Set(recent.rows.map(({ agent }) => String(agent)))
  return [...hours]
    .filter(([agent, count]) => count >= 18 && !heard.has(agent))
    .map(([agent, count]) => ({
      segment: { agent },
      value: '0',
      threshold: '1',
      message: `Agent “${agent}” has made no call for ${spanText(afterMs)}; it was busy in ${count} hours of the day before.`,
      query: queryOf({
        measures: ['calls'],
        by: ['task'],
        where: [{ by: 'agent', values: [agent] }],
        interval: 'hour',
        from: quietFrom - dayMs,
        to: evidence.now + 1,
        zone: evidence.zone,
      }),
    }))
}

const questionOf = (rule: Rule, { now, zone }: Evidence, measures: readonly Measure[], windowMs: number): Question => ({
  measures: [...new Set(measures)],
  by: rule.by,
  where: rule.where,
  from: now + 1 - windowMs,
  to: now + 1,
  zone,
})

/** Which component moved, from the exact split of the difference; nothing where there is none to tell. */
const movedText = async (
  rule: Rule,
  row: Readonly<Record<string, Value | undefined>>,
  now: Pick<Question, 'from' | 'to' | 'zone'>,
  before: Pick<Question, 'from' | 'to' | 'zone'>,
  evidence: Evidence,
): Promise<string> => {
  const where = [...rule.where, ...filtersOf(segmentOf(rule.by, row))]
  const [after, old] = await Promise.all([askSpendings(evidence.ask, now, where), askSpendings(evidence.ask, before, where)])
  const explanation = explain(old.all, after.all)
  const text = causesText(explanation)
  return text === '' ? '' : ` What moved: ${text}.`
}

/** `null` travels as an empty value. */
export const segmentOf = (by: readonly Breakdown[], row: Readonly<Record<string, Value | undefined>>): Readonly<Record<string, string>> =>
  Object.fromEntries(by.map((name) => [name, row[name] === null || row[name] === undefined ? '' : String(row[name])]))

export const filtersOf = (segment: Readonly<Record<string, string>>): readonly Filter[] =>
  Object.entries(segment).map(([name, value]) => ({ by: name as Breakdown, values: [value === '' ? null : value] }))

export const segmentText = (segment: Readonly<Record<string, string>>): string =>
  Object.entries(segment)
    .map(([name, value]) => (value === '' ? `no ${name}` : `${name} “${value}”`))
    .join(', ') || 'All calls'

const nameOf = (rule: Rule, row: AnswerRow): string => segmentText(segmentOf(rule.by, row))

const usd = (dollars: number): bigint => picoUsd(BigInt(Math.round(dollars * 1e12)))
const isMoney = (measure: Measure): boolean => /cost|burnRate/i.test(measure)
const shown = (measure: Measure, value: Value): string => {
  if (value === null) return 'nothing'
  if (isMoney(measure)) return readableUsd(typeof value === 'number' ? formatUsd(usd(value)) : value)
  return grouped(typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(2) : String(value))
}
const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`

export const spanText = (ms: number): string => {
  if (ms % dayMs === 0) return ms === dayMs ? 'day' : `${ms / dayMs} days`
  if (ms % hourMs === 0) return ms === hourMs ? 'hour' : `${ms / hourMs} hours`
  return `${Math.round(ms / 60_000)} minutes`
}

/** The parameters of a question, for `GET /v1/query` and the dashboard's address. */
export const queryOf = (question: Question): string => {
  const parameters = new URLSearchParams({
    measure: question.measures.join(','),
    from: new Date(question.from).toISOString(),
    to: new Date(question.to).toISOString(),
    tz: question.zone,
  })
  if (question.by.length > 0) parameters.set('by', question.by.join(','))
  if (question.interval !== undefined) parameters.set('interval', question.interval)
  for (const { by, values, isNot } of question.where)
    parameters.append('where', `${isNot ? '-' : ''}${by}:${values.map((value) => encodeURIComponent(value ?? '')).join(',')}`)
  return parameters.toString()
}
