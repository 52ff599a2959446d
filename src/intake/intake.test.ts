import { beforeEach, describe, expect, test } from 'vitest'
import type { BookJson } from '../core/book-json.ts'
import { TaximeterError } from '../core/errors.ts'
import { createPriceBook } from '../core/price-book.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import type { Store } from '../ledger/store.ts'
import { createIntake, type Intake } from './intake.ts'

const book = createPriceBook({
  version: 'test',
  providers: {
    openai: { name: 'OpenAI', models: { 'gpt-4.1': { periods: [{ rates: { input: '2', cache_read: '0.5', output: '8' } }] } } },
  },
} satisfies BookJson)

const now = Date.parse('2026-11-22T12:00:00Z')
const id = (index: number) => `019ab000-0000-7000-8000-${String(index).padStart(12, '0')}`
const call = (index: number, more: Record<string, unknown> = {}) => ({
  id: id(index),
  at: '2026-11-22T10:00:00.000Z',
  kind: 'llm',
  provider: 'openai',
  model: 'gpt-4.1',
  usage: { input: 1_200, cache_read: 800, output: 300, reasoning: 64 },
  ...more,
})

let store: Store
let intake: Intake
beforeEach(() => {
  store = memoryStore()
  intake = createIntake({ store, book: () => book, now: () => now })
})
const cost = async () => (await store.ask({ measures: ['cost', 'calls'], by: [], where: [], from: 0, to: now + 1, zone: 'UTC' })).totals

describe('admit', () => {
  test('a plain call costs what it costs by hand', async () => {
    // (1200 × 2 + 800 × 0.5 + (300 + 64) × 8) / 1_000_000
    expect(await intake.admit([call(1)])).toEqual([{ id: id(1), outcome: 'accepted', basis: 'computed', costUsd: '0.005712000000' }])
    expect(await cost()).toEqual({ cost: '0.005712000000', calls: 1 })
  })

  test('sending it again changes nothing and says so', async () => {
    await intake.admit([call(1)])
    expect(await intake.admit([call(1), call(1)])).toMatchObject([{ outcome: 'duplicate' }, { outcome: 'duplicate' }])
    expect(await cost()).toEqual({ cost: '0.005712000000', calls: 1 })
  })

  test('the same call from two sources is charged once', async () => {
    await intake.admit([call(1, { callKey: 'openai:c-1' })], { source: 'import' })
    expect(await intake.admit([call(2, { callKey: 'openai:c-1', agent: 'bot' })], { source: 'sdk' })).toMatchObject([
      { outcome: 'duplicate' },
    ])
    expect(await cost()).toEqual({ cost: '0.005712000000', calls: 1 })
  })

  test('null is as good as absent, as clients of typed languages write it', async () => {
    const nothing = { usage: null, flags: null, agent: null, tags: null, callKey: null, status: null, source: null, quality: null }
    const rawUsage = { prompt_tokens: 1_200, completion_tokens: 300, total_tokens: 1_500 }
    expect(await intake.admit([call(1, { ...nothing, rawUsage, dialect: 'openai-chat' }), call(2, nothing)])).toMatchObject([
      { outcome: 'accepted', costUsd: '0.004800000000' },
      { outcome: 'accepted', basis: 'unpriced' },
    ])
  })

  test('a client cannot claim to be the gateway', async () => {
    expect(await intake.admit([call(1, { source: 'gateway' })])).toMatchObject([{ outcome: 'rejected', reason: 'bad-field' }])
  })

  test.each<[string, unknown, string]>([
    ['null', null, 'not-an-object'],
    ['a list', [], 'not-an-object'],
    ['no id', call(1, { id: undefined }), 'bad-id'],
    ['an id that is no UUID', call(1, { id: 'x' }), 'bad-id'],
    ['an instant without a zone', call(1, { at: '2026-11-22T10:00:00' }), 'bad-time'],
    ['no instant', call(1, { at: undefined }), 'bad-time'],
    ['seconds instead of milliseconds', call(1, { at: 1_795_000_000 }), 'time-out-of-range'],
    ['the far future', call(1, { at: '2027-11-22T10:00:00Z' }), 'time-out-of-range'],
    ['an unknown kind', call(1, { kind: 'thing' }), 'bad-kind'],
    ['no provider', call(1, { provider: undefined }), 'bad-field'],
    ['a name that is too long', call(1, { agent: 'x'.repeat(201) }), 'bad-field'],
    ['a number for a name', call(1, { agent: 5 }), 'bad-field'],
    ['a status that is none', call(1, { status: 'fine' }), 'bad-field'],
    ['usage as text', call(1, { usage: '5' }), 'bad-usage'],
    ['a count as text', call(1, { usage: { input: '5' } }), 'bad-usage'],
    ['an unknown unit', call(1, { usage: { tokens: 5 } }), 'unknown-unit'],
    ['a negative count', call(1, { usage: { input: -5 } }), 'negative-count'],
    ['a fractional count', call(1, { usage: { input: 1.5 } }), 'fractional-count'],
    ['a count past 2⁵³', call(1, { usage: { input: 2 ** 53 } }), 'count-too-large'],
    ['an unknown dialect', call(1, { usage: undefined, rawUsage: { a: 1 }, dialect: 'klingon' }), 'unknown-dialect'],
    ['money as a number', call(1, { reportedCostUsd: 5 }), 'bad-money'],
    ['money with an exponent', { ...call(1), kind: 'tool', tool: 't', costUsd: '1e5' }, 'bad-money'],
    ['a prompt where its hash should be', call(1, { promptHash: 'What is the capital of France?' }), 'bad-field'],
    ['too many tags', call(1, { tags: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`t${index}`, 'x'])) }), 'bad-field'],
    ['a run without its name', { id: id(1), at: now, kind: 'run', phase: 'start' }, 'bad-field'],
  ])('%s is rejected by name, counted, and loses nothing else', async (_, bad, reason) => {
    const [first, second] = await intake.admit([bad, call(2)])
    expect(first).toMatchObject({ outcome: 'rejected', reason })
    expect(second).toMatchObject({ outcome: 'accepted' })
    expect(intake.counters().rejected[reason as 'bad-id']).toBe(1)
    expect(await cost()).toMatchObject({ calls: 1 })
  })

  test('an unknown model is unpriced, and no cost is said for it', async () => {
    expect(await intake.admit([call(1, { model: 'gpt-99' })])).toEqual([{ id: id(1), outcome: 'accepted', basis: 'unpriced' }])
    expect(intake.counters().basis.unpriced).toBe(1)
  })

  test('a good answer without usage is missing it: counted, and not a zero', async () => {
    expect(await intake.admit([call(1, { usage: undefined })])).toEqual([{ id: id(1), outcome: 'accepted', basis: 'unpriced' }])
    expect(intake.counters().missingUsage).toBe(1)
  })

  test('an error answer without usage costs exactly nothing', async () => {
    expect(await intake.admit([call(1, { usage: undefined, status: 'error', error: '429' })])).toMatchObject([
      { basis: 'computed', costUsd: '0.000000000000' },
    ])
  })

  test('what a provider wrote is read as it is, whoever sends it', async () => {
    const rawUsage = {
      prompt_tokens: 2_000,
      completion_tokens: 364,
      total_tokens: 2_364,
      prompt_tokens_details: { cached_tokens: 800 },
      completion_tokens_details: { reasoning_tokens: 64 },
    }
    expect(
      await intake.admit([call(1, { usage: undefined, rawUsage, dialect: 'openai-chat' }), call(2, { usage: undefined, rawUsage })]),
    ).toMatchObject([
      { basis: 'computed', costUsd: '0.005712000000' },
      { basis: 'computed', costUsd: '0.005712000000' },
    ])
  })

  test('a tool costs what its caller says, and is unpriced when nobody does', async () => {
    const tool = { id: id(1), at: now, kind: 'tool', tool: 'web-search', costUsd: '0.005' }
    expect(await intake.admit([tool, { ...tool, id: id(2), costUsd: undefined }])).toMatchObject([
      { costUsd: '0.005000000000' },
      { basis: 'unpriced' },
    ])
  })

  test('listeners hear of what came into the totals and what left them, after it is durable', async () => {
    const heard: unknown[] = []
    intake.onCounted((counted, uncounted) => heard.push([counted?.event.id, uncounted?.event.id]))
    await intake.admit([call(1, { callKey: 'k' })], { source: 'import' })
    await intake.admit([call(2, { callKey: 'k' })], { source: 'gateway' })
    expect(heard).toEqual([
      [id(1), undefined],
      [id(2), id(1)],
    ])
  })

  test('when the ledger keeps nothing, nothing is acknowledged', async () => {
    const failing = createIntake({
      store: { append: () => Promise.reject(new TaximeterError('LEDGER_FAILED', 'The disk is full.')) },
      book: () => book,
      now: () => now,
    })
    await expect(failing.admit([call(1)])).rejects.toThrow('LEDGER_FAILED')
    expect(failing.counters()).toMatchObject({ accepted: 0, failedBatches: 1 })
  })
})
