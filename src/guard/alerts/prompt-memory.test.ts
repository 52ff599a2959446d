import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPromptMemory } from './prompt-memory.ts'

const windowMs = 1_000

test('tells how often a prompt was sent within the window, and what that cost', () => {
  const uses = fc.array(
    fc.record({ key: fc.constantFrom('a', 'b', 'c'), after: fc.integer({ min: 0, max: 700 }), cost: fc.bigInt(0n, 99n) }),
  )
  fc.assert(
    fc.property(uses, (list) => {
      const memory = createPromptMemory()
      const sent: { key: string; at: number; cost: bigint }[] = []
      let at = 1_700_000_000_000
      for (const { key, after, cost } of list) {
        at += after
        sent.push({ key, at, cost })
        const within = sent.filter((use) => use.key === key && use.at > at - windowMs)
        expect(memory.use(key, at, windowMs, cost)).toEqual({
          times: within.length,
          cost: within.reduce((sum, use) => sum + use.cost, 0n),
        })
      }
    }),
  )
})

test('among many prompts, those of the last while are remembered, and each is told from all others', () => {
  const memory = createPromptMemory()
  const each = (count: number, from: number): number[] =>
    Array.from({ length: count }, (_, index) => memory.use(`run-${index} ${index}`, from + index, 1e9, 1n).times)
  expect(each(200_000, 0).every((times) => times === 1)).toBe(true)
  const second = createPromptMemory()
  const kept = 10_000
  for (let index = 0; index < kept; index++) second.use(`prompt ${index}`, index, 1e9, 1n)
  const again = Array.from({ length: kept }, (_, index) => second.use(`prompt ${index}`, kept + index, 1e9, 1n).times)
  // Four places for each number: one prompt in some thousands has lost its own to others.
  expect(again.filter((times) => times === 2).length).toBeGreaterThan(kept * 0.995)
})

test('a prompt that goes on and on keeps a list of bounded length', () => {
  const memory = createPromptMemory()
  for (let index = 0; index < 5_000; index++) memory.use('loop', index, 1e9, 1n)
  expect(memory.use('loop', 5_000, 1e9, 1n)).toEqual({ times: 1_000, cost: 1_000n })
})
