import { describe, expect, it } from 'vitest'
import type { RunCallJson, RunDetailJson, RunJson } from '../../../../src/server/api.ts'
import { thinned, waterfallOf } from './waterfall-rows.ts'

const start = Date.parse('2026-11-22T10:00:00.000Z')
const at = (ms: number): string => new Date(start + ms).toISOString()

const run = (name: string, fromMs: number, ms: number): RunJson =>
  ({ run: name, agent: `${name}-agent`, startedAt: at(fromMs), endedAt: at(fromMs + ms), durationMs: ms, costUsd: '0.10' }) as RunJson

const call = (id: string, fromMs: number, durationMs: number | undefined, step?: string): RunCallJson =>
  ({
    id,
    kind: 'llm',
    model: 'gpt-4.1',
    at: at(fromMs),
    ...(durationMs !== undefined && { durationMs }),
    ...(step && { step }),
  }) as RunCallJson

const detail = (calls: readonly RunCallJson[], children: readonly RunJson[] = []): RunDetailJson => ({
  run: run('r', 0, 1_000),
  calls,
  children,
  hasMore: false,
})

describe('waterfallOf', () => {
  it('calls and sub-runs stand in the order in which they began', () => {
    const { rows } = waterfallOf(detail([call('a', 0, 200, '1'), call('b', 600, 400, '2')], [run('sub', 300, 200)]))
    expect(rows.map(({ id, isStepStart, startShare, lengthShare }) => [id, isStepStart, startShare, lengthShare])).toEqual([
      ['a', true, 0, 0.2],
      ['sub', false, 0.3, 0.2],
      ['b', true, 0.6, 0.4],
    ])
  })

  it('a call that outlasts the last known end stretches the run', () => {
    const { from, to, rows } = waterfallOf(detail([call('a', 500, 1_500)]))
    expect([from, to]).toEqual([start, start + 2_000])
    expect(rows[0]).toMatchObject({ startShare: 0.25, lengthShare: 0.75 })
  })

  it('a call of unknown length is a point and not an error', () => {
    expect(waterfallOf(detail([call('a', 500, undefined)])).rows[0]).toMatchObject({ startShare: 0.5, lengthShare: 0 })
  })
})

it('a line of ten thousand points keeps its ends', () => {
  const points = Array.from({ length: 10_000 }, (_, index) => index)
  const kept = thinned(points, 400)
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([400, 0, 9_999])
})
