import type { Attribution } from '../core/attribution.ts'
import { divideHalfEven, formatUsd, parseUsd } from '../core/money.ts'
import type { EventJson } from '../intake/event-json.ts'
import type { Warn } from './warning.ts'

/** What one use of a tool costs. Without either, the ledger's own price list says so, or the call is unpriced. */
export interface ToolOptions<Result = unknown> {
  /** Decimal dollars of this call, or how its result tells them. */
  readonly costUsd?: string | ((result: Result) => string | undefined)
  /** Decimal dollars; what is given is added up. A call that fails costs the same: whoever sells the tool has done the work. */
  readonly price?: {
    readonly perCall?: string
    /** For one of `units`. */
    readonly perUnit?: string
    /** For an hour of the call's duration. */
    readonly perHour?: string
  }
  /** How many of the tool's own unit were used, or how its result tells. */
  readonly units?: number | ((result: Result) => number)
  /** 0 for the first try. */
  readonly attempt?: number
}

interface ToolCallContext {
  readonly id: string
  readonly at: number
  readonly attribution: Attribution
  readonly warn: Warn
}

/** The event of a tool call that begins now. */
export const eventOfTool = <Result>(tool: string, options: ToolOptions<Result>, context: ToolCallContext) => {
  const started = performance.now()
  const eventOf = (status: 'ok' | 'error', result: Result | undefined, error: string | undefined): EventJson => {
    const durationMs = Math.round(performance.now() - started)
    const costUsd = costOf(options, result, durationMs, (message) =>
      context.warn('bad-option', `The price of tool "${tool}" is not known: ${message}`),
    )
    return {
      ...context.attribution,
      id: context.id,
      at: context.at,
      kind: 'tool',
      source: 'sdk',
      tool,
      status,
      durationMs,
      ...(options.attempt !== undefined && { attempt: options.attempt }),
      ...(costUsd !== undefined && { costUsd }),
      ...(error !== undefined && { error }),
    }
  }
  return {
    ended: (result: Result): EventJson => eventOf('ok', result, undefined),
    failed: (error: unknown): EventJson => eventOf('error', undefined, errorNameOf(error)),
  }
}

/** The kind of an error and nothing that it says: messages quote what users wrote. */
const errorNameOf = (error: unknown): string => {
  const named = error as { code?: unknown; name?: unknown } | null | undefined
  for (const name of [named?.code, named?.name]) if (typeof name === 'string' && /^[\w.:-]{1,64}$/.test(name)) return name
  return 'error'
}

const costOf = <Result>(
  options: ToolOptions<Result>,
  result: Result | undefined,
  durationMs: number,
  complain: (message: string) => void,
): string | undefined => {
  try {
    const given = typeof options.costUsd === 'function' ? (result === undefined ? undefined : options.costUsd(result)) : options.costUsd
    if (given !== undefined) return formatUsd(priceOf('costUsd', given))
    return options.price === undefined ? undefined : formatUsd(pricedAt(options.price, unitsOf(options, result), durationMs))
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

const unitsOf = <Result>(options: ToolOptions<Result>, result: Result | undefined): number | undefined =>
  typeof options.units === 'function' ? (result === undefined ? undefined : options.units(result)) : options.units

const pricedAt = (price: NonNullable<ToolOptions['price']>, units: number | undefined, durationMs: number): bigint => {
  let cost = price.perCall === undefined ? 0n : priceOf('perCall', price.perCall)
  if (price.perUnit !== undefined) {
    if (units === undefined || !(units >= 0)) throw new Error('"perUnit" needs "units", a count')
    cost += BigInt(Math.round(units)) * priceOf('perUnit', price.perUnit)
  }
  if (price.perHour !== undefined) cost += divideHalfEven(BigInt(durationMs) * priceOf('perHour', price.perHour), 3_600_000n)
  return cost
}

const priceOf = (name: string, text: unknown): bigint => {
  const amount = parseUsd(String(text))
  if (amount === undefined || amount < 0n) throw new Error(`"${name}" should be dollars as a decimal text such as "0.005"`)
  return amount
}
