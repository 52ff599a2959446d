import { looksLikeId, type SelfCheck, type SelfCheckFacts, selfCheckOf } from '../analysis/self-check.ts'
import { type Ask, countOf } from '../analysis/spending.ts'
import type { Breakdown, Filter, Measure } from '../core/question.ts'
import type { Rule } from '../guard/alerts/rule.ts'

export interface SelfCheckOptions {
  readonly ask: Ask
  readonly now: () => number
  readonly rules: () => readonly Rule[]
  /** Budgets that somebody has chosen. */
  readonly budgets: () => number
}

const weekMs = 7 * 86_400_000
const attributes = ['agent', 'task', 'model', 'release', 'tool', 'team', 'environment'] as const satisfies readonly Breakdown[]
/** One more than a label may have is enough to know. */
const valuesAsked = 201

/** The nine points, from what the ledger and the configuration say now. A git commit as a release is a name and no id. */
export const askSelfCheck = async ({ ask, now, rules, budgets }: SelfCheckOptions): Promise<SelfCheck> => {
  const period = { from: now() - weekMs, to: now() + 1, zone: 'UTC' }
  const count = async (where: readonly Filter[], measure: Measure = 'calls'): Promise<number> =>
    countOf((await ask({ measures: [measure], by: [], where, ...period })).totals, measure)
  const none = (by: Breakdown): Filter => ({ by, values: [null] })
  const unpriced: Filter = { by: 'basis', values: ['unpriced'] }
  const isModel: Filter = { by: 'kind', values: ['llm'] }
  const [calls, withoutRun, withoutAgent, withoutTask, withoutBoth, withoutRelease, toolCalls, toolCallsUnpriced] = await Promise.all([
    count([]),
    count([none('run')]),
    count([none('agent')]),
    count([none('task')]),
    count([none('agent'), none('task')]),
    count([none('release')]),
    count([], 'toolCalls'),
    count([unpriced], 'toolCalls'),
  ])
  const { totals } = await ask({ measures: ['latencyP50'], by: [], where: [isModel], ...period })
  const unpricedOf = async (by: readonly Breakdown[], where: readonly Filter[]) =>
    (await ask({ measures: ['calls'], by, where: [...where, unpriced], top: valuesAsked, ...period })).rows.map((row) =>
      by.map((name) => row[name]).join('/'),
    )
  const facts: SelfCheckFacts = {
    since: new Date(period.from).toISOString().slice(0, 10),
    calls,
    callsWithoutRun: withoutRun,
    callsWithoutAgentOrTask: withoutAgent + withoutTask - withoutBoth,
    callsWithoutRelease: withoutRelease,
    hasDurations: totals.latencyP50 !== null,
    toolCalls,
    toolCallsUnpriced,
    unpricedTools: await unpricedOf(['tool'], [{ by: 'kind', values: ['tool'] }]),
    unpricedModels: await unpricedOf(['provider', 'model'], [isModel]),
    budgets: budgets(),
    hasTailRule: rules().some(({ condition }) => 'measure' in condition && /^costP9\d$/.test(condition.measure)),
    hasBurnRule: rules().some(({ condition }) => condition.kind === 'burn'),
    attributes: await Promise.all(
      attributes.map(async (name) => {
        const values = (await ask({ measures: ['calls'], by: [name], where: [], top: valuesAsked, ...period })).rows.map((row) => row[name])
        const named = values.filter((value) => typeof value === 'string')
        return { name, values: named.length, idLike: named.filter(looksLikeId).length }
      }),
    ),
  }
  return selfCheckOf(facts)
}
