import type { Answer, Value } from '../core/answer.ts'
import { bases, pricedBases } from '../core/charge.ts'
import { TaximeterError } from '../core/errors.ts'
import { parseUsd } from '../core/money.ts'
import type { Filter, Measure, Question } from '../core/question.ts'
import { unitNames } from '../core/units.ts'
import type { RunSummary, Store } from '../ledger/store.ts'
import type { Family, Labels } from './metric-family.ts'
import type { MetricName } from './metric-list.ts'
import { unknownValue } from './run-tally.ts'

/** What the ledger says of everything that is a running total. */
export interface Standing {
  readonly models: Answer
  readonly releases: Answer
  readonly tools: Answer
  readonly coverage: Answer['coverage']
}

type AskStore = Pick<Store, 'ask'>

const dayMs = 24 * 3_600_000
const runsPerPage = 1_000
const kindIs = (kind: 'llm' | 'tool'): Filter => ({ by: 'kind', values: [kind] })

/** Of all time, and of clocks that run ahead. */
const ask = async (
  store: AskStore,
  now: number,
  question: {
    readonly measures: readonly Measure[]
    readonly by: Question['by']
    readonly where?: readonly Filter[]
    readonly from?: number
  },
): Promise<Answer> => {
  const asked: Question = { where: [], from: 0, ...question, to: now + 2 * dayMs, zone: 'UTC' }
  try {
    return await store.ask(asked)
  } catch (error) {
    // More rows than an answer may have: those that matter least are then "other".
    if (error instanceof TaximeterError && error.code === 'BAD_QUESTION') return store.ask({ ...asked, top: 1_000 })
    throw error
  }
}

/** The totals alone: enough to see whether anything was counted elsewhere. */
export const readCoverage = async (store: AskStore, now: number): Promise<Answer['coverage']> =>
  (await ask(store, now, { measures: ['cost'], by: [] })).coverage

export const readStanding = async (store: AskStore, now: number): Promise<Standing> => {
  const units = unitNames.map((unit) => `tokens.${unit}` as const)
  const [models, releases, tools, coverage] = await Promise.all([
    ask(store, now, { measures: ['llmCost', 'promptTokens', 'completionTokens', ...units], by: ['model'], where: [kindIs('llm')] }),
    ask(store, now, { measures: ['llmCost', 'promptTokens', 'completionTokens'], by: ['model', 'release'], where: [kindIs('llm')] }),
    ask(store, now, { measures: ['toolCost'], by: ['tool', 'release'], where: [kindIs('tool')] }),
    readCoverage(store, now),
  ])
  return { models, releases, tools, coverage }
}

/**
 * Takes the label values of the last 30 days first: where there are more than a label may have, those of long ago are the ones
 * that become "other".
 */
export const readLabels = async (store: AskStore, now: number, labels: Labels): Promise<void> => {
  for (const label of ['model', 'release', 'tool'] as const) {
    const { rows } = await ask(store, now, { measures: ['cost'], by: [label], from: now - 30 * dayMs })
    for (const row of rows) if (row[label] !== null) labels.value(label, String(row[label]))
  }
}

/** The newest runs, the oldest of them first, so that the newest are the last to be let go of. */
export const readRuns = async (store: Pick<Store, 'runs'>, now: number, runsMax: number): Promise<readonly RunSummary[]> => {
  const filter = { where: [], from: 0, to: now + 2 * dayMs, sort: 'newest' } as const
  const newest: RunSummary[] = []
  for (let after: string | undefined; newest.length < runsMax; ) {
    const limit = Math.min(runsPerPage, runsMax - newest.length)
    const page = await store.runs(filter, { limit, ...(after !== undefined && { after }) })
    newest.push(...page.runs)
    after = page.next
    if (after === undefined) break
  }
  return newest.reverse()
}

const standingFamilies = [
  'ai_token_input_total',
  'ai_token_output_total',
  'ai_inference_cost_cents_total',
  'agent_llm_cost_usd_total',
  'agent_token_usage_total',
  'agent_tool_cost_usd_total',
  'taximeter_tokens_total',
  'taximeter_unpriced_calls_total',
  'taximeter_calls_total',
  'taximeter_cost_usd_total',
] as const satisfies readonly MetricName[]

/** Sets every running total to what the ledger says, in one go. */
export const applyStanding = ({ models, releases, tools, coverage }: Standing, family: (name: MetricName) => Family): void => {
  for (const name of standingFamilies) family(name).reset()
  for (const row of models.rows) {
    const model = nameOf(row.model)
    family('ai_token_input_total').series(model).truth += countOf(row.promptTokens)
    family('ai_token_output_total').series(model).truth += countOf(row.completionTokens)
    if (row.llmCost !== null) family('ai_inference_cost_cents_total').series(model).truth += usdOf(row.llmCost)
    family('taximeter_unpriced_calls_total').series(model).truth += countOf(row.unpricedCalls)
    for (const unit of unitNames) {
      const count = countOf(row[`tokens.${unit}`])
      if (count > 0n) family('taximeter_tokens_total').series(model, unit).truth += count
    }
  }
  for (const row of releases.rows) {
    const [model, release] = [nameOf(row.model), nameOf(row.release)]
    if (row.llmCost !== null) family('agent_llm_cost_usd_total').series(model, release).truth += usdOf(row.llmCost)
    family('agent_token_usage_total').series(model, 'prompt', release).truth += countOf(row.promptTokens)
    family('agent_token_usage_total').series(model, 'completion', release).truth += countOf(row.completionTokens)
  }
  for (const row of tools.rows)
    if (row.toolCost !== null)
      family('agent_tool_cost_usd_total').series(nameOf(row.tool), nameOf(row.release)).truth += usdOf(row.toolCost)
  for (const basis of bases) family('taximeter_calls_total').series(basis).truth += BigInt(coverage[basis].calls)
  for (const basis of pricedBases) family('taximeter_cost_usd_total').series(basis).truth += usdOf(coverage[basis].cost)
}

/** True when the tallies say what the ledger says: of each basis as many calls, and as many pico-dollars. */
export const agrees = (coverage: Answer['coverage'], family: (name: MetricName) => Family): boolean =>
  bases.every((basis) => family('taximeter_calls_total').series(basis).truth === BigInt(coverage[basis].calls)) &&
  pricedBases.every((basis) => family('taximeter_cost_usd_total').series(basis).truth === usdOf(coverage[basis].cost))

const nameOf = (value: Value | undefined): string => (typeof value === 'string' ? value : unknownValue)
const countOf = (value: Value | undefined): bigint => (value === null || value === undefined ? 0n : BigInt(value))
const usdOf = (value: Value | undefined): bigint => (typeof value === 'string' ? (parseUsd(value) ?? 0n) : 0n)
