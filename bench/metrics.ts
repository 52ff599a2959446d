import { Counter, Registry } from 'prom-client'
import type { CallEntry } from '../src/core/event.ts'
import { picoUsd } from '../src/core/money.ts'
import { createIntake, type Intake } from '../src/intake/intake.ts'
import { memoryStore } from '../src/ledger/memory/memory-store.ts'
import { loadPriceBook } from '../src/pricing.ts'
import { createMetrics } from '../src/server/metrics.ts'

export interface MetricsResult {
  readonly series: number
  /** Milliseconds of one scrape, and the longest that anything else had to wait meanwhile; medians. */
  readonly scrapeMs: number
  readonly longestWaitMs: number
  readonly limitMs: number
  /** Of a processor, so that other work on the machine does not show. */
  readonly scrapeCpuMs: number
  /** The same number of series in prom-client. */
  readonly promClientMs: number
  readonly promClientCpuMs: number
  readonly promClientLongestWaitMs: number
  /** Microseconds to count one call. */
  readonly countUs: number
}

const seriesWanted = 50_000

/** A scrape of 50,000 series, each of which has moved since the scrape before, and what it costs to count a call. */
export const benchMetrics = async (rounds = 5): Promise<MetricsResult> => {
  const ours = await ourMetrics()
  const theirs = promClientMetrics()
  const measured: Measured[] = []
  for (let round = 0; round < rounds; round += 1) {
    const countUs = ours.moveAll()
    const own = await timed(ours.text)
    theirs.moveAll()
    const other = await timed(theirs.text)
    measured.push({ countUs, own, other, series: own.text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length })
  }
  const middle = (of: (each: Measured) => number): number => median(measured.map(of))
  return {
    series: middle(({ series }) => series),
    scrapeMs: middle(({ own }) => own.ms),
    longestWaitMs: middle(({ own }) => own.longestWaitMs),
    limitMs: 100,
    scrapeCpuMs: middle(({ own }) => own.cpuMs),
    promClientCpuMs: middle(({ other }) => other.cpuMs),
    promClientMs: middle(({ other }) => other.ms),
    promClientLongestWaitMs: middle(({ other }) => other.longestWaitMs),
    countUs: middle(({ countUs }) => countUs),
  }
}

interface Measured {
  readonly countUs: number
  readonly own: Awaited<ReturnType<typeof timed>>
  readonly other: Awaited<ReturnType<typeof timed>>
  readonly series: number
}

/** Several metrics of one call, so that a third as many calls as series fill them: 130 models × 128 releases. */
const ourMetrics = async () => {
  const store = memoryStore()
  const book = loadPriceBook()
  const intake = createIntake({ store, book: () => book, now: Date.now })
  const listeners: Parameters<Intake['onCounted']>[0][] = []
  const metrics = await createMetrics({
    store,
    intake: {
      ...intake,
      onCounted(listener) {
        listeners.push(listener)
        return () => {}
      },
    },
    now: Date.now,
    version: 'bench',
    bookVersion: () => book.version,
    limits: { seriesMax: 50_000 },
  })
  const entries: CallEntry[] = []
  for (let index = 0; index < seriesWanted / 3; index += 1) {
    entries.push({
      event: {
        id: `019ab000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`,
        at: Date.now(),
        source: 'sdk',
        kind: 'llm',
        provider: 'openai',
        model: `model-${index % 130}`,
        release: `release-${Math.floor(index / 130)}`,
        usage: { input: 1_234, output: 567 },
        quality: 'complete',
        status: 'ok',
        attempt: 0,
      },
      charge: { basis: 'computed', total: picoUsd(7_004_000_001n), lines: [] },
    })
  }
  return {
    moveAll(): number {
      const began = performance.now()
      for (const entry of entries) for (const listener of listeners) listener(entry, undefined)
      return ((performance.now() - began) * 1_000) / entries.length
    },
    text: () => metrics.text(),
  }
}

const promClientMetrics = () => {
  const registry = new Registry()
  const counter = new Counter({
    name: 'agent_token_usage_total',
    help: 'x',
    labelNames: ['model', 'token_type', 'release'],
    registers: [registry],
  })
  return {
    moveAll(): void {
      for (let index = 0; index < seriesWanted; index += 1)
        counter.inc(
          { model: `model-${index % 130}`, token_type: index % 2 === 0 ? 'prompt' : 'completion', release: `release-${index}` },
          1_234,
        )
    },
    text: () => registry.metrics(),
  }
}

const timed = async (print: () => Promise<string>) => {
  let longestWaitMs = 0
  let last = performance.now()
  let isOver = false
  const tick = (): void => {
    const now = performance.now()
    longestWaitMs = Math.max(longestWaitMs, now - last)
    last = now
    if (!isOver) setImmediate(tick)
  }
  setImmediate(tick)
  await new Promise(setImmediate)
  const began = performance.now()
  const cpu = process.cpuUsage()
  const text = await print()
  const ms = performance.now() - began
  const { user, system } = process.cpuUsage(cpu)
  isOver = true
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  return { text, ms, longestWaitMs, cpuMs: (user + system) / 1_000 }
}

const median = (values: readonly number[]): number => [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0

if (import.meta.main) {
  const figures = await benchMetrics()
  console.log(
    `scrape   ${figures.series.toLocaleString('en')} series, all moved: ${figures.scrapeMs.toFixed(0)} ms (at most ${figures.limitMs}), ${figures.scrapeCpuMs.toFixed(0)} ms of a processor; nothing else waited longer than ${figures.longestWaitMs.toFixed(0)} ms`,
  )
  console.log(
    `peer     prom-client: ${figures.promClientMs.toFixed(0)} ms, ${figures.promClientCpuMs.toFixed(0)} ms of a processor; all else waited ${figures.promClientLongestWaitMs.toFixed(0)} ms`,
  )
  console.log(`count    ${figures.countUs.toFixed(1)} µs a call`)
}
