import type { Answer, Value } from '../core/answer.ts'
import { bases } from '../core/charge.ts'
import { parseUsd } from '../core/money.ts'
import type { Filter, Measure, Question } from '../core/question.ts'
import { unitNames } from '../core/units.ts'
import type { Store } from '../ledger/store.ts'
import type { Family, Labels } from './metric-family.ts'
import type { LabelName, MetricName } from './metric-list.ts'
import { type RunTally, unknownValue } from './run-tally.ts'

export interface SeedOptions {
  readonly store: Pick<Store, 'ask' | 'runs'>
  readonly family: (name: MetricName) => Family
  readonly labels: Labels
  readonly runs: Pick<RunTally, 'seed'>
  readonly runsMax: number
  readonly now: number
}

const dayMs = 24 * 3_600_000
const kindIs = (kind: 'llm' | 'tool'): Filter => ({ by: 'kind', values: [kind] })
const rowsMax = 1_000

/**
 * Begins the tallies where the ledger stands, so that a restart does not lose what was counted.
 *
 * Label values of the last 30 days are taken first: where there are more than a label may have, those of long ago are the ones
 * that become "other". Runs are read newest first, up to `runsMax`.
 */
export const seedMetrics = async (options: SeedOptions): Promise<void> => {
  const { store, family, labels, now } = options
  const ask = (measures: readonly Measure[], by: Question['by'], where: readonly Filter[], from = 0): Promise<Answer> =>
    store.ask({ measures, by, where, from, to: now + 2 * dayMs, zone: 'UTC', top: rowsMax })

  for (const label of ['model', 'release', 'tool'] as const satisfies readonly LabelName[]) {
    const { rows } = await ask(['cost'], [label], [], now - 30 * dayMs)
    for (const row of rows) if (row[label] !== null) labels.value(label, String(row[label]))
  }
  await seedModels(ask, family)
  await seedReleases(ask, family)
  await seedRuns(options)
}

type Ask = (measures: readonly Measure[], by: Question['by'], where: readonly Filter[]) => Promise<Answer>

const seedModels = async (ask: Ask, family: SeedOptions['family']): Promise<void> => {
  const units = unitNames.map((unit) => `tokens.${unit}` as const)
  const models = await ask(['llmCost', 'promptTokens', 'completionTokens', ...units], ['model'], [kindIs('llm')])
  for (const row of models.rows) {
    const model = nameOf(row.model)
    family('ai_token_input_total').series(model).truth += countOf(row.promptTokens)
    family('ai_token_output_total').series(model).truth += countOf(row.completionTokens)
    family('ai_inference_cost_cents_total').series(model).truth += usdOf(row.llmCost)
    family('taximeter_unpriced_calls_total').series(model)
    for (const unit of unitNames) {
      const count = countOf(row[`tokens.${unit}`])
      if (count > 0n) family('taximeter_tokens_total').series(model, unit).truth += count
    }
  }
  const unpriced = await ask(['calls'], ['model'], [kindIs('llm'), { by: 'basis', values: ['unpriced'] }])
  for (const row of unpriced.rows) family('taximeter_unpriced_calls_total').series(nameOf(row.model)).truth += countOf(row.calls)
}

const seedReleases = async (ask: Ask, family: SeedOptions['family']): Promise<void> => {
  const models = await ask(['llmCost', 'promptTokens', 'completionTokens'], ['model', 'release'], [kindIs('llm')])
  for (const row of models.rows) {
    const [model, release] = [nameOf(row.model), nameOf(row.release)]
    family('agent_llm_cost_usd_total').series(model, release).truth += usdOf(row.llmCost)
    family('agent_token_usage_total').series(model, 'prompt', release).truth += countOf(row.promptTokens)
    family('agent_token_usage_total').series(model, 'completion', release).truth += countOf(row.completionTokens)
  }
  const tools = await ask(['toolCost'], ['tool', 'release'], [kindIs('tool')])
  for (const row of tools.rows)
    family('agent_tool_cost_usd_total').series(nameOf(row.tool), nameOf(row.release)).truth += usdOf(row.toolCost)
  const { coverage } = await ask(['cost'], [], [])
  for (const basis of bases) {
    family('taximeter_calls_total').series(basis).truth += BigInt(coverage[basis].calls)
    family('taximeter_cost_usd_total').series(basis).truth += usdOf(coverage[basis].cost)
  }
}

const seedRuns = async ({ store, runs, runsMax, now }: SeedOptions): Promise<void> => {
  const filter = { where: [], from: 0, to: now + 2 * dayMs, sort: 'newest' } as const
  const newest = []
  for (let after: string | undefined; newest.length < runsMax; ) {
    const page = await store.runs(filter, { limit: Math.min(rowsMax, runsMax - newest.length), ...(after !== undefined && { after }) })
    newest.push(...page.runs)
    after = page.next
    if (after === undefined) break
  }
  // The oldest first, so that the newest are the last to be let go of.
  for (const run of newest.reverse()) runs.seed(run)
}

const nameOf = (value: Value | undefined): string => (typeof value === 'string' ? value : unknownValue)
const countOf = (value: Value | undefined): bigint => (value === null || value === undefined ? 0n : BigInt(value))
const usdOf = (value: Value | undefined): bigint => (typeof value === 'string' ? (parseUsd(value) ?? 0n) : 0n)
