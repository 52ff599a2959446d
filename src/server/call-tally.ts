import { amountOf, type Basis, bases, pricedBases } from '../core/charge.ts'
import type { CallEntry, ModelCall } from '../core/event.ts'
import { unitNames, units } from '../core/units.ts'
import { type Family, otherValue, type Series } from './metric-family.ts'
import type { MetricName } from './metric-list.ts'
import { unknownValue } from './run-tally.ts'

/** The running totals of calls. Every call of every agent passes here, so that it looks up two maps and adds integers. */
export interface CallTally {
  observe(counted: CallEntry | undefined, uncounted: CallEntry | undefined): void
}

interface ModelSlot {
  readonly input: Series
  readonly output: Series
  /** There is none until a call was priced: what is unpriced is no zero. */
  cents: Series | undefined
  readonly unpriced: Series
  readonly byRelease: Map<string, ReleaseSlot>
  /** By the unit's place in `unitNames`. */
  readonly byUnit: (Series | undefined)[]
}

interface ReleaseSlot {
  cost: Series | undefined
  readonly prompt: Series
  readonly completion: Series
}

/** Slots remembered by their raw names, which callers make up. */
const slotsMax = 50_000

const sides = unitNames.map((unit) => units[unit].side)

export const createCallTally = (family: (name: MetricName) => Family): CallTally => {
  const models = new Map<string, ModelSlot>()
  const tools = new Map<string, Map<string, Series>>()
  const seriesOf = <Label extends Basis>(name: MetricName, labels: readonly Label[]) =>
    Object.fromEntries(labels.map((label) => [label, family(name).series(label)])) as Record<Label, Series>
  const calls = seriesOf('taximeter_calls_total', bases)
  const costs = seriesOf('taximeter_cost_usd_total', pricedBases)
  let remembered = 0

  const remember = <Value>(map: Map<string, Value>, name: string, made: Value): Value => {
    // Made-up names cannot fill the memory: the series behind the slots are bounded, and the slots are found again from them.
    if (++remembered > slotsMax) {
      models.clear()
      tools.clear()
      remembered = 0
    }
    map.set(name, made)
    return made
  }

  const makeModelSlot = (model: string): ModelSlot =>
    remember(models, model, {
      input: family('ai_token_input_total').series(model),
      output: family('ai_token_output_total').series(model),
      cents: undefined,
      unpriced: family('taximeter_unpriced_calls_total').series(model),
      byRelease: new Map(),
      byUnit: [],
    })

  const makeReleaseSlot = (slot: ModelSlot, model: string, release: string): ReleaseSlot =>
    remember(slot.byRelease, release, {
      cost: undefined,
      prompt: family('agent_token_usage_total').series(model, 'prompt', release),
      completion: family('agent_token_usage_total').series(model, 'completion', release),
    })

  const addTool = (tool: string, release: string, amount: bigint): void => {
    const byRelease = tools.get(tool) ?? remember(tools, tool, new Map<string, Series>())
    const series = byRelease.get(release) ?? remember(byRelease, release, family('agent_tool_cost_usd_total').series(tool, release))
    series.truth += amount
  }

  const add = ({ event, charge }: CallEntry, sign: 1n | -1n): void => {
    const amount = sign * amountOf(charge)
    const release = event.release ?? unknownValue
    calls[charge.basis].truth += sign
    if (charge.basis !== 'unpriced') costs[charge.basis].truth += amount
    if (event.kind === 'tool') {
      if (charge.basis !== 'unpriced') addTool(event.tool, release, amount)
      return
    }
    const { model, usage } = event
    const slot = models.get(model) ?? makeModelSlot(model)
    const inRelease = slot.byRelease.get(release) ?? makeReleaseSlot(slot, model, release)
    let prompt = 0
    let completion = 0
    for (let place = 0; place < unitNames.length; place += 1) {
      const unit = unitNames[place]
      const count = unit === undefined ? undefined : usage[unit]
      if (unit === undefined || count === undefined || count === 0) continue
      if (sides[place] === 'prompt') prompt += count
      else if (sides[place] === 'completion') completion += count
      const series = (slot.byUnit[place] ??= family('taximeter_tokens_total').series(model, unit))
      series.truth += sign * BigInt(count)
    }
    const promptTokens = sign * BigInt(prompt)
    const completionTokens = sign * BigInt(completion)
    slot.input.truth += promptTokens
    slot.output.truth += completionTokens
    if (charge.basis !== 'unpriced') {
      slot.cents ??= family('ai_inference_cost_cents_total').series(model)
      slot.cents.truth += amount
      inRelease.cost ??= family('agent_llm_cost_usd_total').series(model, release)
      inRelease.cost.truth += amount
    }
    inRelease.prompt.truth += promptTokens
    inRelease.completion.truth += completionTokens
    if (charge.basis === 'unpriced') slot.unpriced.truth += sign
    if (event.status !== 'ok') family('taximeter_failed_calls_total').series(event.provider, failureOf(event)).truth += sign
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

/** A short code, as clients should give it; a sentence could hold what a person wrote and is no label. */
const failureOf = ({ error, status }: Pick<ModelCall, 'error' | 'status'>): string =>
  error === undefined ? status : /^[\w.:-]{1,64}$/.test(error) ? error : otherValue
