import { execFileSync } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { calcPrice } from '@pydantic/genai-prices'
import { chargeOf, type ModelRef } from '../src/core/charge.ts'
import { settleCharge } from '../src/core/settle.ts'
import type { Usage } from '../src/core/usage.ts'
import { loadPriceBook } from '../src/pricing.ts'

export interface ChargingFigures {
  /** Plain calls (input and output, standard list) charged a second; the median of the rounds. */
  readonly plainPerSecond: number
  readonly plainLimit: number
  /** The same 1,000 mixed calls a second: ours, the peer's, and ours ÷ the peer's. */
  readonly mixedPerSecond: number
  readonly peerPerSecond: number
  readonly ratio: number
  readonly ratioLimit: number
  /** The mixed calls settled, as intake does it. */
  readonly settledPerSecond: number
  /** Milliseconds from nothing to the first rate: reading and parsing the book, and finding a model; median of fresh processes. */
  readonly loadMs: number
  readonly loadLimitMs: number
}

const rounds = 7
const at = Date.parse('2026-09-21T12:00Z')

interface Mixed {
  readonly usage: Usage
  readonly model: ModelRef
  readonly peer: { readonly usage: Record<string, number>; readonly model: string; readonly providerId: string }
}

/** A thousand calls of six providers: plain, cached in part or nearly whole, over a tier's threshold, in a variant. */
const mixedCalls = (): readonly Mixed[] => {
  const kinds = [
    ['openai', 'openai', 'gpt-4.1', {}],
    ['openai', 'openai', 'gpt-5.5', { tier: 'priority' }],
    ['openai', 'openai', 'gpt-5.4', { tier: 'batch' }],
    ['anthropic', 'anthropic', 'claude-opus-4-8', { region: 'us' }],
    ['anthropic', 'anthropic', 'claude-sonnet-4-5', {}],
    ['google', 'google', 'gemini-2.5-pro', {}],
    ['xai', 'x-ai', 'grok-4.3', {}],
    ['deepseek', 'deepseek', 'deepseek-v4-pro', {}],
    ['bedrock', 'aws', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', {}],
    ['openrouter', 'openrouter', 'anthropic/claude-opus-4.5', {}],
  ] as const
  return Array.from({ length: 1000 }, (_, index): Mixed => {
    const [provider, providerId, model, variant] = kinds[index % kinds.length] ?? kinds[0]
    const input = 100 + ((index * 7919) % 4000)
    const read = index % 3 === 0 ? 0 : (index * 104_729) % (index % 10 === 0 ? 400_000 : 30_000)
    const written = provider === 'anthropic' && index % 2 === 0 ? 1500 : 0
    const output = 50 + ((index * 31) % 2000)
    const usage: Record<string, number> = { input, output }
    if (read > 0) usage.cache_read = read
    if (written > 0) usage.cache_write_5m = written
    return {
      usage,
      model: { provider, model, ...variant },
      peer: {
        providerId,
        model,
        usage: { input_tokens: input + read + written, cache_read_tokens: read, cache_write_tokens: written, output_tokens: output },
      },
    }
  })
}

/** Bench (d): charges a second, plain and mixed, against genai-prices' calcPrice on the same calls in the same run. */
export const benchCharging = (): ChargingFigures => {
  const book = loadPriceBook()
  const calls = mixedCalls()
  const plain: ModelRef = { provider: 'openai', model: 'gpt-4.1' }
  const usage: Usage = { input: 1200, output: 300 }
  const timestamp = new Date(at)
  let sum = 0n
  let peerSum = 0
  const add = (total: bigint | undefined) => {
    if (total !== undefined) sum += total
  }
  const measured = {
    plain: ratesOf(300_000, () => {
      for (let index = 0; index < 300_000; index++) {
        const charge = chargeOf(usage, plain, at, book)
        add(charge.basis === 'unpriced' ? undefined : charge.total)
      }
    }),
    mixed: ratesOf(100_000, () => {
      for (let turn = 0; turn < 100; turn++)
        for (const call of calls) {
          const charge = chargeOf(call.usage, call.model, at, book)
          add(charge.basis === 'unpriced' ? undefined : charge.total)
        }
    }),
    settled: ratesOf(100_000, () => {
      for (let turn = 0; turn < 100; turn++)
        for (const call of calls) {
          const charge = settleCharge({ ...call.model, at, usage: call.usage, quality: 'complete', status: 'ok', durationMs: 800 }, book)
          add(charge.basis === 'unpriced' ? undefined : charge.total)
        }
    }),
    peer: ratesOf(5_000, () => {
      for (let turn = 0; turn < 5; turn++)
        for (const { peer } of calls)
          peerSum += calcPrice(peer.usage, peer.model, { providerId: peer.providerId, timestamp })?.total_price ?? 0
    }),
  }
  if (sum === 0n || peerSum === 0) throw new Error('Nothing was charged.')
  const [mixedPerSecond, peerPerSecond] = [medianOf(measured.mixed), medianOf(measured.peer)]
  return {
    plainPerSecond: medianOf(measured.plain),
    plainLimit: 1_000_000,
    mixedPerSecond,
    peerPerSecond,
    ratio: mixedPerSecond / peerPerSecond,
    ratioLimit: 5,
    settledPerSecond: medianOf(measured.settled),
    loadMs: medianOf(Array.from({ length: 5 }, loadMs)),
    loadLimitMs: 15,
  }
}

const ratesOf = (count: number, run: () => void): readonly number[] => {
  run()
  return Array.from({ length: rounds }, () => {
    const start = performance.now()
    run()
    return Math.round((count / (performance.now() - start)) * 1000)
  })
}

const medianOf = (values: readonly number[]): number => [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0

/** Of a process of its own, in which the code is loaded and the book is not. */
const loadMs = (): number => {
  const pricing = fileURLToPath(new URL('../prices/book.json', import.meta.url))
  const core = new URL('../src/core/price-book.ts', import.meta.url).href
  const script = `
    import { readFileSync } from 'node:fs'
    import { createPriceBook } from ${JSON.stringify(core)}
    const start = performance.now()
    const book = createPriceBook(JSON.parse(readFileSync(${JSON.stringify(pricing)}, 'utf8')))
    if (typeof book.find('openai', 'gpt-4.1', ${at}, {}) === 'string') throw new Error('No price.')
    console.log(performance.now() - start)`
  return Number(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }))
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const figures = benchCharging()
  const show = (value: number) => Math.round(value).toLocaleString('en')
  console.log(`plain    ${show(figures.plainPerSecond)} charges/s (limit ${show(figures.plainLimit)})`)
  console.log(
    `mixed    ${show(figures.mixedPerSecond)} charges/s, genai-prices ${show(figures.peerPerSecond)}: ${figures.ratio.toFixed(1)} times (limit ${figures.ratioLimit})`,
  )
  console.log(`settled  ${show(figures.settledPerSecond)} calls/s`)
  console.log(`load     ${figures.loadMs.toFixed(1)} ms to the first rate (limit ${figures.loadLimitMs})`)
}
