import { type Charge, chargeOf } from '../../core/charge.ts'
import type { CallEntry, ModelCall, RunEntry, RunRecord, ToolCall } from '../../core/event.ts'
import { type PicoUsd, parseUsd } from '../../core/money.ts'
import { createPriceBook } from '../../core/price-book.ts'
import type { Question } from '../../core/question.ts'

/** Entries as the intake would hand them over, for the contract and for benches. */
export const day0 = Date.UTC(2026, 10, 22)
export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

const book = createPriceBook({
  version: '2026-11-22',
  providers: {
    openai: {
      name: 'OpenAI',
      models: {
        large: { periods: [{ rates: { input: '2', cache_read: '0.5', output: '8' } }] },
        small: { periods: [{ rates: { input: '0.15', output: '0.6' }, variants: [{ tier: 'flex', multiply: '0.5' }] }] },
      },
    },
    ollama: { name: 'Ollama', models: {}, anyModel: { periods: [{ rates: { input: '0', output: '0', machine_ms: '0.7' } }] } },
  },
})

export const usd = (text: string): PicoUsd => parseUsd(text) ?? (0n as PicoUsd)

/** A UUID of version 7 from a time and a number. */
export const idOf = (at: number, number: number): string => {
  const time = at.toString(16).padStart(12, '0')
  const tail = number.toString(16).padStart(15, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(0, 3)}-8${tail.slice(3, 6)}-${tail.slice(3)}`
}

let made = 0

/** A model call with its charge from the book above; what is given replaces what is usual. */
export const modelCall = (given: Partial<ModelCall> = {}, charge?: Charge): CallEntry => {
  const at = given.at ?? day0
  const event: ModelCall = {
    id: idOf(at, ++made),
    at,
    source: 'sdk',
    kind: 'llm',
    provider: 'openai',
    model: 'large',
    usage: { input: 1_000, output: 100 },
    quality: 'complete',
    status: 'ok',
    attempt: 0,
    ...given,
  }
  return { event, charge: charge ?? priced(event) }
}

const priced = (event: ModelCall): Charge => {
  if (event.quality === 'missing') return { basis: 'unpriced', reason: 'missing-usage' }
  const computed = chargeOf(event.usage, event, event.at, book)
  if (event.reportedCost === undefined) return computed
  if (computed.basis === 'unpriced') return { basis: 'reported', total: event.reportedCost, lines: [] }
  return { ...computed, basis: 'reported', total: event.reportedCost, computed: computed.total }
}

export const toolCall = (given: Partial<ToolCall> = {}): CallEntry => {
  const at = given.at ?? day0
  const event: ToolCall = { id: idOf(at, ++made), at, source: 'sdk', kind: 'tool', tool: 'web-search', status: 'ok', attempt: 0, ...given }
  const charge: Charge =
    event.cost === undefined ? { basis: 'unpriced', reason: 'unpriced-tool' } : { basis: 'computed', total: event.cost, lines: [] }
  return { event, charge }
}

export const runRecord = (run: string, phase: 'start' | 'end', given: Partial<RunRecord> = {}): RunEntry => {
  const at = given.at ?? day0
  return { event: { id: idOf(at, ++made), at, source: 'sdk', kind: 'run', run, phase, ...given } }
}

export const question = (given: Partial<Question> = {}): Question => ({
  measures: ['cost'],
  by: [],
  where: [],
  from: day0 - day,
  to: day0 + 2 * day,
  zone: 'UTC',
  ...given,
})
