import { countOf } from '../../analysis/spending.ts'
import type { Answer } from '../../core/answer.ts'
import type { Breakdown, Measure, Question } from '../../core/question.ts'
import { grouped, readableUsd } from '../../core/readable.ts'
import { startOf } from '../../core/window.ts'
import { type Finding, keyOf } from './alert-states.ts'
import { baselineFindings } from './baseline-condition.ts'
import { budgetFindings, burnFindings } from './budget-conditions.ts'
import { type Evidence, settledEnd } from './evidence.ts'
import { filtersOf, percent, queryOf, segmentOf, segmentText, shown, spanText } from './finding-text.ts'
import { whyFor } from './finding-why.ts'
import { releaseFindings } from './release-condition.ts'
import type { Condition, Rule } from './rule.ts'

type Of<Kind extends Condition['kind']> = Extract<Condition, { kind: Kind }>

const dayMs = 86_400_000

/** The segments for which the rule's condition holds at `evidence.now`. Conditions on single calls (request, repeat) are watched by call-watch.ts. */
export const findingsOf = async (rule: Rule, evidence: Evidence): Promise<readonly Finding[]> => {
  const { condition } = rule
  switch (condition.kind) {
    case 'threshold':
      return thresholds(rule, condition, evidence)
    case 'change':
      return changes(rule, condition, evidence)
    case 'burn':
      return burnFindings(rule, condition, evidence)
    case 'budget':
      return budgetFindings(evidence)
    case 'baseline':
      return baselineFindings(rule, condition, evidence)
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
  const question = questionOf(rule, evidence, [measure, 'cost', 'calls'], windowMs, isPerRun(measure))
  const { rows } = await settledAnswer(evidence, question)
  const limit = above ?? below ?? 0
  return rows
    .filter((row) => {
      const value = row[measure]
      if (value === null || value === undefined || countOf(row, 'calls') < callsMin || Number(row.cost) < rule.floorUsd) return false
      return above === undefined ? Number(value) < limit : Number(value) > limit
    })
    .map((row) => {
      const value = row[measure] ?? null
      const segment = segmentOf(rule.by, row)
      const where = [...rule.where, ...filtersOf(segment)]
      const message = `${segmentText(segment)}: ${measure} was ${shown(measure, value)} in the last ${spanText(windowMs)}, ${above === undefined ? 'below' : 'above'} ${shown(measure, limit)}.`
      return {
        segment,
        value: String(value),
        threshold: String(limit),
        message,
        query: queryOf(question),
        ...(isSpending(measure) && above !== undefined && { why: () => whyFor(where, question, evidence) }),
      }
    })
}

/** What money was spent on can be split into causes; what a count or a ratio is made of cannot. */
const isSpending = (measure: Measure): boolean => /cost|burnRate|tokens/i.test(measure)
const isPerRun = (measure: Measure): boolean => /PerRun|Per1kRuns|^costP\d\d$|PerCompletion/.test(measure)

const changes = async (
  rule: Rule,
  { measure, windowMs, direction, share, callsMin, runsMin }: Of<'change'>,
  evidence: Evidence,
): Promise<readonly Finding[]> => {
  const question = questionOf(rule, evidence, [measure, 'cost', 'calls', ...(runsMin > 0 ? (['runs'] as const) : [])], windowMs, true)
  const earlier = { ...question, from: question.from - windowMs, to: question.from }
  const [{ rows }, before] = await Promise.all([settledAnswer(evidence, question), settledAnswer(evidence, earlier)])
  const beforeOf = new Map(before.rows.map((row) => [keyOf(segmentOf(rule.by, row)), row]))
  return rows.flatMap((row): readonly Finding[] => {
    const segment = segmentOf(rule.by, row)
    const was = beforeOf.get(keyOf(segment))
    const [old, now] = [Number(was?.[measure] ?? 0), Number(row[measure] ?? 0)]
    if (was === undefined || old <= 0) return []
    // Few calls or runs differ by chance.
    if ([was, row].some((side) => countOf(side, 'calls') < callsMin || countOf(side, 'runs') < runsMin)) return []
    const moved = direction === 'rise' ? now / old - 1 : 1 - now / old
    if (Number(row.cost) < rule.floorUsd || moved <= share) return []
    const where = [...rule.where, ...filtersOf(segment)]
    const expected = isPerRun(measure) ? ({ expected: 'same-runs' } as const) : {}
    return [
      {
        segment,
        value: String(now),
        threshold: String(direction === 'rise' ? old * (1 + share) : old * (1 - share)),
        message: `${segmentText(segment)}: ${measure} ${direction === 'rise' ? 'rose' : 'fell'} ${percent(moved)} against the ${spanText(windowMs)} before (${shown(measure, was[measure] ?? null)} → ${shown(measure, row[measure] ?? null)}).`,
        query: queryOf(question),
        ...(isSpending(measure) &&
          direction === 'rise' && { why: () => whyFor(where, question, evidence, { before: earlier, ...expected }) }),
      },
    ]
  })
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
  const { rows } = await evidence.ask(recent)
  const known = await knownValues(rule, attribute, windowMs, evidence)
  // In a ledger that has only begun everything is new, and nothing is news.
  if (known === undefined) return []
  return rows
    .filter((row) => row[attribute] !== null && !known.has(row[attribute]) && Number(row.cost) >= rule.floorUsd)
    .map((row) => ({
      segment: { [attribute]: String(row[attribute]) },
      value: String(row[attribute]),
      threshold: 'unseen for 30 days',
      message: `The ${attribute} “${row[attribute]}” was first used: ${row.calls} calls, ${row.cost === null ? 'none with a price,' : readableUsd(String(row.cost))} in the last ${spanText(windowMs)}.`,
      query: queryOf(recent),
      window: String(row[attribute]),
    }))
}

/** The values of the 30 days before the window, looked up once an hour; undefined while there is less than a week of them. */
const knownValues = (rule: Rule, attribute: Breakdown, windowMs: number, { ask, once, now, zone }: Evidence) => {
  const to = startOf('hour', now, zone) - windowMs
  return once(JSON.stringify(['known', attribute, rule.where, to]), async () => {
    const { rows } = await ask({
      measures: ['calls'],
      by: [attribute],
      interval: 'day',
      where: rule.where,
      from: to - 30 * dayMs,
      to,
      zone,
    })
    const first = Math.min(...rows.map((row) => Date.parse(String(row.bucket))))
    return first > to - 7 * dayMs ? undefined : new Set(rows.map((row) => row[attribute]))
  })
}

/** Models and tools without a price; each is told once a week as long as it has none. */
const unpriced = async (rule: Rule, { windowMs }: Of<'unpriced'>, evidence: Evidence): Promise<readonly Finding[]> => {
  const by: readonly Breakdown[] = rule.by.length === 0 ? ['model', 'tool'] : rule.by
  const question: Question = {
    measures: ['calls', 'tokens'],
    by,
    where: [...rule.where, { by: 'basis', values: ['unpriced'] }],
    from: evidence.now - windowMs,
    to: evidence.now + 1,
    zone: evidence.zone,
  }
  const { rows } = await evidence.ask(question)
  return rows.map((row) => {
    // A call has a model or a tool, and is named by the one that it has.
    const segment = segmentOf(rule.by.length === 0 ? by.filter((name) => row[name] !== null) : by, row)
    const what = row.tool === null || row.tool === undefined ? '"prices"' : '"tools"'
    const tokens = Number(row.tokens) > 0 ? ` (${grouped(String(row.tokens))} tokens)` : ''
    return {
      segment,
      value: String(row.calls),
      threshold: '0',
      message: `${segmentText(segment)}: ${row.calls} ${row.calls === 1 ? 'call' : 'calls'} in the last ${spanText(windowMs)} ${row.calls === 1 ? 'has' : 'have'} no price${tokens}, and ${row.calls === 1 ? 'is' : 'are'} in no total. Add the price under ${what} in taximeter.yaml.`,
      query: queryOf(question),
      window: String(startOf('week', evidence.now, evidence.zone)),
    }
  })
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

const questionOf = (rule: Rule, { now, zone }: Evidence, measures: readonly Measure[], windowMs: number, isSettled: boolean): Question => {
  const to = isSettled ? settledEnd(now, windowMs) : now + 1
  return { measures: [...new Set(measures)], by: rule.by, where: rule.where, from: to - windowMs, to, zone }
}

/** The answer of a period that is over is kept until the next one. */
const settledAnswer = (evidence: Evidence, question: Question): Promise<Answer> =>
  question.to > evidence.now ? evidence.ask(question) : evidence.once(JSON.stringify(question), () => evidence.ask(question))
