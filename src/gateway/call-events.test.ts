import { describe, expect, it } from 'vitest'
import { picoUsd } from '../core/money.ts'
import { createPriceBook } from '../core/price-book.ts'
import { parseEvent } from '../intake/parse-event.ts'
import type { UsageReport } from '../providers/dialect.ts'
import { type CallFacts, type Ending, finishedCall } from './call-events.ts'
import { waitingOf } from './outbox.ts'

const book = createPriceBook({ version: 'test', providers: {} })
const facts: CallFacts = {
  id: '019ab000-0000-7000-8000-000000000001',
  at: Date.UTC(2026, 10, 22),
  provider: 'openai',
  requestedModel: 'gpt-4.1-mini',
  operation: 'chat',
  attempt: 2,
  promptHash: 'a'.repeat(32),
  attribution: { agent: 'support-bot', key: 'alice', tags: { plan: 'pro' } },
}
const report: UsageReport = { usage: { input: 12, output: 3 }, quality: 'complete', flags: [], model: 'gpt-4.1-mini', responseId: 'r-1' }
const ending: Ending = { status: 'ok', report, durationMs: 812.4, firstByteMs: 40 }

/** What comes out when the entry waits on disk and goes through the intake's door. */
const reread = (given: Partial<CallFacts>, end: Ending) => {
  const { entries } = finishedCall({ ...facts, ...given }, end, book)
  return entries.map((entry) => {
    const { event, key } = JSON.parse(JSON.stringify(waitingOf(entry))) as ReturnType<typeof waitingOf>
    return { event: entry.event, read: parseEvent(event, { source: 'gateway', now: facts.at, key }) }
  })
}

describe('the event of a call', () => {
  const long = 'x'.repeat(1_000)
  it.each<[name: string, facts: Partial<CallFacts>, ending: Partial<Ending>]>([
    ['as most are', {}, {}],
    [
      'that told nothing',
      { requestedModel: undefined, operation: undefined, promptHash: undefined },
      { report: undefined, status: 'error' },
    ],
    ['with empty names', { requestedModel: '' }, { report: { ...report, model: '', tier: '', region: '', speed: '' }, error: '' }],
    [
      'with names that are too long',
      { requestedModel: long },
      { report: { ...report, model: long, tier: long, responseId: long }, error: long },
    ],
    ['with a cost of its own', {}, { report: { ...report, reportedCost: picoUsd(12_300_000_000n) } }],
    ['with a cost that nobody pays', {}, { report: { ...report, reportedCost: picoUsd(10n ** 19n) } }],
    ['with a negative cost', {}, { report: { ...report, reportedCost: picoUsd(-1n) } }],
    ['that took a month', {}, { durationMs: 30 * 86_400_000, firstByteMs: 29.5 * 86_400_000 }],
    ['with flags and other models', {}, { flags: ['stream-limit'], report: { ...report, also: [{ ...report, model: 'advisor' }] } }],
  ])('%s, is one that the intake takes as it is', (_name, given, end) => {
    for (const { event, read } of reread(given, { ...ending, ...end })) expect(read).toEqual(event)
  })

  it('with a cost that nobody pays is left to the price book', () => {
    const { entries } = finishedCall(facts, { ...ending, report: { ...report, reportedCost: picoUsd(10n ** 19n) } }, book)
    expect(entries[0]?.charge).toEqual({ basis: 'unpriced', reason: 'unknown-model' })
  })
})
