import { describe, expect, test } from 'vitest'
import type { Unit } from '../core/units.ts'
import type { Spending } from './explain.ts'
import { readingOf } from './readings.ts'
import { type SegmentFigures, segmentOf } from './segments.ts'

const dollar = 10n ** 12n
const spending = (runs: number, prompt: bigint, more: Partial<Spending> = {}): Spending => ({
  runs,
  toolCost: 0n,
  retryCost: 0n,
  models: new Map([
    [
      'gpt-4.1',
      {
        calls: runs,
        otherCost: 0n,
        units: new Map<Unit, { count: bigint; cost: bigint }>([['input', { count: prompt, cost: (prompt * dollar) / 1_000n }]]),
      },
    ],
  ]),
  ...more,
})

const reading = (before: Spending, after: Spending) =>
  readingOf({ name: 'refund', where: [{ by: 'task', values: ['refund'] }], before, after, beforeName: 'the day before' })

describe('readingOf', () => {
  test('a surge alone is called traffic, not regression', () => {
    expect(reading(spending(100, 10_000n), spending(300, 30_000n))).toMatchObject({
      kind: 'traffic',
      level: 'notice',
      sentence:
        'Cost of “refund” rose 200 % against the day before ($10.00 → $30.00). Traffic accounts for +200 %: runs went from 100 to 300 (+200 %).',
    })
  })

  test('a prompt that grows with a release is unit cost, and the tokens are named', () => {
    expect(reading(spending(100, 10_000n), spending(100, 13_800n, { retryCost: dollar / 5n }))).toMatchObject({
      kind: 'unit-cost',
      level: 'warning',
      sentence:
        'Cost of “refund” rose 40 % against the day before ($10.00 → $14.00). Runs stayed at 100. A run costs $0.14 instead of $0.10 (+40 %): +38 % from prompt tokens (gpt-4.1), +2.0 % from retries.',
    })
  })

  test('both at once are told apart', () => {
    expect(reading(spending(100, 10_000n), spending(200, 30_000n))).toMatchObject({ kind: 'both', level: 'warning' })
  })

  test('a change too small to matter is steady', () => {
    expect(reading(spending(100, 10_000n), spending(101, 10_100n))).toMatchObject({ kind: 'steady', level: 'quiet' })
  })

  test('after next to nothing amounts are told, not a percentage of it', () => {
    expect(reading(spending(1, 10n), spending(2_400, 24_000n)).sentence).toBe(
      'Cost of “refund” rose from $0.01 in the day before to $24.00. Traffic accounts for +$23.99: runs went from 1 to 2,400.',
    )
    expect(reading(spending(10, 100n), spending(10, 24_000n, { retryCost: dollar })).sentence).toBe(
      'Cost of “refund” rose from $0.10 in the day before to $25.00. Runs stayed at 10. A run costs $2.50 instead of $0.01: +$23.90 from prompt tokens (gpt-4.1), +$1.00 from retries.',
    )
  })

  test.each([
    [0, 40, 'All of the change is traffic: there was no run in the day before, there were 40 now.'],
    [1_200, 0, 'All of the change is traffic: there were 1,200 runs in the day before and are none now.'],
    [0, 0, 'None of it belongs to a run.'],
  ])('from %d runs to %d', (was, is, sentence) => {
    expect(reading(spending(was, 10_000n), spending(is, 20_000n)).sentence).toContain(sentence)
  })

  test('a beginning is said as one, without a percentage of nothing', () => {
    expect(reading(spending(0, 0n), spending(10, 1_000n)).sentence).toBe('Cost of “refund” is $1.00; there was none in the day before.')
  })
})

describe('segmentOf', () => {
  const figures = (more: Partial<SegmentFigures> = {}): SegmentFigures => ({
    cost: 10n * dollar,
    runs: 100,
    costPerRun: dollar / 10n,
    p95: dollar / 5n,
    calls: 200,
    errors: 0,
    unpricedCalls: 0,
    ...more,
  })

  test('a segment that is as it was is ok', () => {
    expect(segmentOf('refund', figures(), figures(), 24)).toEqual({
      segment: 'refund',
      costPerRun: dollar / 10n,
      p95: dollar / 5n,
      burnPerHour: 416_666_666_667n,
      status: 'ok',
      reasons: [],
    })
  })

  test.each<[string, Partial<SegmentFigures>, string, string]>([
    ['a dearer run is a warning', { costPerRun: (dollar * 12n) / 100n }, 'warning', 'Cost per run rose 20 % ($0.10 → $0.12).'],
    ['a much dearer run is critical', { costPerRun: (dollar * 15n) / 100n }, 'critical', 'Cost per run rose 50 % ($0.10 → $0.15).'],
    [
      'a longer tail is seen though the average is level',
      { p95: dollar },
      'critical',
      'The 95th percentile of run cost rose 400 % ($0.20 → $1.00).',
    ],
    ['failing calls are a warning', { errors: 20 }, 'warning', '20 of 200 calls failed (10 %).'],
    ['unpriced calls are a warning', { unpricedCalls: 3 }, 'warning', '3 of 200 calls have no price: the cost is higher than shown.'],
  ])('%s', (_, now, status, reason) => {
    expect(segmentOf('refund', figures(now), figures(), 24)).toMatchObject({ status, reasons: [reason] })
  })

  test('a few runs say nothing about a change', () => {
    expect(segmentOf('refund', figures({ runs: 4 }), figures(), 24).status).toBe('ok')
  })

  test('no runs are no cost per run, not a free one', () => {
    expect(segmentOf(null, figures({ runs: 0, costPerRun: null, p95: null }), undefined, 24)).toMatchObject({ costPerRun: null, p95: null })
  })
})
