import { amountOf, bases } from '../core/charge.ts'
import type { CallEntry } from '../core/event.ts'
import { unitNames } from '../core/units.ts'
import { completionTokensOf, promptTokensOf } from '../core/usage.ts'
import type { Family, Series } from './metric-family.ts'
import type { MetricName } from './metric-list.ts'
import { unknownValue } from './run-tally.ts'

/** The running totals of calls. Every call of every agent passes here, so that it looks up two maps and adds integers. */
export interface CallTally {
  observe(counted: CallEntry | undefined, uncounted: CallEntry | undefined): void
}

interface ModelSlot {
  readonly input: Series
  readonly output: Series
  readonly cents: Series
  readonly unpriced: Series
  readonly byRelease: Map<string, ReleaseSlot>
  readonly byUnit: Map<string, Series>
}

interface ReleaseSlot {
  readonly cost: Series
  readonly prompt: Series
  readonly completion: Series
}

export const tokenTypes = ['prompt', 'completion'] as const
/** Slots remembered by their raw names, which callers make up. */
const slotsMax = 10_000

export const createCallTally = (family: (name: MetricName) => Family): CallTally => {
  const models = new Map<string, ModelSlot>()
  const tools = new Map<string, Map<string, Series>>()
  const calls = Object.fromEntries(bases.map((basis) => [basis, family('taximeter_calls_total').series(basis)]))
  const costs = Object.fromEntries(bases.map((basis) => [basis, family('taximeter_cost_usd_total').series(basis)]))
  let remembered = 0

  const remember = <Value>(map: Map<string, Value>, name: string, make: () => Value): Value => {
    const known = map.get(name)
    if (known !== undefined) return known
    // Made-up names cannot fill the memory: the series behind the slots are bounded, and the slots are found again from them.
    if (++remembered > slotsMax) {
      models.clear()
      tools.clear()
      remembered = 0
    }
    const made = make()
    map.set(name, made)
    return made
  }

  const modelSlot = (model: string): ModelSlot =>
    remember(models, model, () => ({
      input: family('ai_token_input_total').series(model),
      output: family('ai_token_output_total').series(model),
      cents: family('ai_inference_cost_cents_total').series(model),
      unpriced: family('taximeter_unpriced_calls_total').series(model),
      byRelease: new Map(),
      byUnit: new Map(),
    }))

  const releaseSlot = (slot: ModelSlot, model: string, release: string): ReleaseSlot =>
    remember(slot.byRelease, release, () => ({
      cost: family('agent_llm_cost_usd_total').series(model, release),
      prompt: family('agent_token_usage_total').series(model, 'prompt', release),
      completion: family('agent_token_usage_total').series(model, 'completion', release),
    }))

  const add = ({ event, charge }: CallEntry, sign: 1n | -1n): void => {
    const amount = sign * amountOf(charge)
    const release = event.release ?? unknownValue
    const basisCalls = calls[charge.basis]
    const basisCost = costs[charge.basis]
    if (basisCalls !== undefined) basisCalls.truth += sign
    if (basisCost !== undefined) basisCost.truth += amount
    if (event.kind === 'tool') {
      const byRelease = remember(tools, event.tool, () => new Map<string, Series>())
      remember(byRelease, release, () => family('agent_tool_cost_usd_total').series(event.tool, release)).truth += amount
      return
    }
    const { model, usage } = event
    const slot = modelSlot(model)
    const inRelease = releaseSlot(slot, model, release)
    const prompt = sign * BigInt(promptTokensOf(usage))
    const completion = sign * BigInt(completionTokensOf(usage))
    slot.input.truth += prompt
    slot.output.truth += completion
    slot.cents.truth += amount
    inRelease.cost.truth += amount
    inRelease.prompt.truth += prompt
    inRelease.completion.truth += completion
    if (charge.basis === 'unpriced') slot.unpriced.truth += sign
    for (const unit of unitNames) {
      const count = usage[unit]
      if (count === undefined || count === 0) continue
      remember(slot.byUnit, unit, () => family('taximeter_tokens_total').series(model, unit)).truth += sign * BigInt(count)
    }
    if (charge.basis !== 'reported' || charge.computed === undefined) return
    family('taximeter_reported_cost_usd_total').series(event.provider).truth += amount
    family('taximeter_recomputed_cost_usd_total').series(event.provider).truth += sign * charge.computed
  }

  return {
    observe(counted, uncounted) {
      if (uncounted !== undefined) add(uncounted, -1n)
      if (counted !== undefined) add(counted, 1n)
    },
  }
}
