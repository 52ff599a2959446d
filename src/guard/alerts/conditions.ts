import type { Breakdown, Question } from '../../core/question.ts'
import { grouped, readableUsd } from '../../core/readable.ts'
import { startOf } from '../../core/window.ts'
import type { Finding } from './alert-states.ts'
import { baselineFindings } from './baseline-condition.ts'
import { budgetFindings, burnFindings } from './budget-conditions.ts'
import type { Evidence } from './evidence.ts'
import { percent, queryOf, segmentOf, segmentText, spanText } from './finding-text.ts'
import { changeFindings, thresholdFindings } from './measure-conditions.ts'
import { releaseFindings } from './release-condition.ts'
import type { Condition, Rule } from './rule.ts'

type Of<Kind extends Condition['kind']> = Extract<Condition, { kind: Kind }>

const dayMs = 86_400_000

/** The segments for which the rule's condition holds at `evidence.now`. Conditions on single calls (request, repeat) are watched by call-watch.ts. */
export const findingsOf = async (rule: Rule, evidence: Evidence): Promise<readonly Finding[]> => {
  const { condition } = rule
  switch (condition.kind) {
    case 'threshold':
      return thresholdFindings(rule, condition, evidence)
    case 'change':
      return changeFindings(rule, condition, evidence)
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

const newcomers = async (rule: Rule, { attribute, windowMs }: Of<'new'>, evidence: Evidence): Promise<readonly Finding[]> => {
  const recent: Question = {
    measures: ['calls', 'cost'],
    by: [attribute],
    where: rule.where,
    from: evidence.now - windowMs,
    to: evidence.now + 1,
    zone: evidence.zone,
  }
  const rows = await evidence.rows(recent)
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
  const rows = await evidence.rows(question)
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
  // Whole hours, so that they are asked for once an hour.
  const hour = startOf('hour', quietFrom, 'UTC')
  const calls = { measures: ['calls'], by: ['agent'], where: rule.where, zone: 'UTC' } as const
  const [busy, recent] = await Promise.all([
    evidence.settledRows({ ...calls, interval: 'hour', from: hour - dayMs, to: hour }),
    evidence.rows({ ...calls, from: quietFrom, to: evidence.now + 1 }),
  ])
  const hours = new Map<string, number>()
  for (const { agent } of busy) if (agent !== null && agent !== undefined) hours.set(String(agent), (hours.get(String(agent)) ?? 0) + 1)
  const heard = new Set(recent.map(({ agent }) => String(agent)))
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
