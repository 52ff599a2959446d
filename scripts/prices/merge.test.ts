import { expect, test } from 'vitest'
import type { PeriodJson, ProviderJson } from '../../src/core/book-json.ts'
import { type Change, mergeProvider } from './merge.ts'

const day = '2026-11-22'
const provider = (models: Record<string, readonly PeriodJson[]>): ProviderJson => ({
  name: 'P',
  models: Object.fromEntries(Object.entries(models).map(([name, periods]) => [name, { periods }])),
})
const merge = (
  written: readonly PeriodJson[],
  fresh: readonly PeriodJson[],
): { periods: readonly PeriodJson[] | undefined; changes: readonly Change[] } => {
  const { provider: merged, changes } = mergeProvider('p', provider({ m: written }), provider({ m: fresh }), day)
  return { periods: merged.models.m?.periods, changes }
}
const one: PeriodJson = { rates: { input: '2', output: '8' }, confidence: 'single-source' }

test('what is the same stays, to the letter', () => {
  expect(merge([one], [{ ...one }])).toEqual({ periods: [one], changes: [] })
})

test('a changed rate is another period from the day on, and the written one is untouched', () => {
  const fresh: PeriodJson = { rates: { input: '1', output: '8' }, confidence: 'confirmed' }
  expect(merge([one], [fresh])).toEqual({
    periods: [one, { ...fresh, from: day }],
    changes: [{ kind: 'period', where: 'p/m', from: day, rates: ['input $2 → $1'] }],
  })
})

test('a rate where there was none, and a better confidence, are filled in', () => {
  const { periods, changes } = merge([one], [{ rates: { input: '2', cache_read: '0.5', output: '8' }, confidence: 'confirmed' }])
  expect(periods).toEqual([{ rates: { input: '2', cache_read: '0.5', output: '8' }, confidence: 'confirmed' }])
  expect(changes).toEqual([{ kind: 'filled', where: 'p/m', rates: ['cache_read $0.5'] }])
})

test('a variant that is written for some of the regions is not added again for others, which would multiply twice', () => {
  const written: PeriodJson = {
    ...one,
    variants: [
      { regions: ['eu', 'us', 'jp'], multiply: '1.1' },
      { tier: 'batch', multiply: '0.5' },
    ],
  }
  const fresh: PeriodJson = {
    ...one,
    variants: [
      { regions: ['eu', 'us'], multiply: '1.1' },
      { tier: 'batch', rates: { input: '1', output: '4' } },
      { tier: 'flex', multiply: '0.5' },
    ],
  }
  const { periods, changes } = merge([written], [fresh])
  expect(periods).toEqual([{ ...written, variants: [...(written.variants ?? []), { tier: 'flex', multiply: '0.5' }] }])
  expect(changes).toEqual([{ kind: 'filled', where: 'p/m', rates: ['flex × 0.5'] }])
})

test('a later dated period is added as the sources date it, in the future too', () => {
  const later: PeriodJson = { from: '2027-01-01', rates: { input: '4', output: '16' }, confidence: 'confirmed' }
  expect(merge([one], [one, later]).periods).toEqual([one, later])
})

test('another history of the past is reported and not written', () => {
  const now: PeriodJson = { from: '2026-06-01', rates: { input: '1', output: '4' } }
  const past: PeriodJson = { from: '2026-01-01', rates: { input: '3', output: '9' } }
  expect(merge([one, now], [one, past, now])).toEqual({
    periods: [one, now],
    changes: [{ kind: 'past', where: 'p/m', from: '2026-01-01' }],
  })
})

test('a model that no source has any more keeps its prices, and a new one is added', () => {
  const { provider: merged, changes } = mergeProvider('p', provider({ old: [one] }), provider({ fresh: [one] }), day)
  expect(Object.keys(merged.models)).toEqual(['fresh', 'old'])
  expect(changes).toEqual([{ kind: 'model', where: 'p/fresh' }])
})

test('merging the same again changes nothing', () => {
  const fresh = provider({ m: [{ rates: { input: '1', output: '8' } }] })
  const first = mergeProvider('p', provider({ m: [one] }), fresh, day).provider
  expect(mergeProvider('p', first, fresh, day)).toEqual({ provider: first, changes: [] })
  expect(mergeProvider('p', first, fresh, '2026-12-24')).toEqual({ provider: first, changes: [] })
})
