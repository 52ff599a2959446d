import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseToolPrices } from './core/tool-prices.ts'
import { bookJson, chargeOf, createPriceBook, formatUsd, loadPriceBook, withPrices } from './pricing.ts'

const at = Date.parse('2026-11-22')

test('the book that comes with the package prices a call', () => {
  const charge = chargeOf({ input: 1200, output: 300 }, { provider: 'openai', model: 'gpt-4.1' }, at, loadPriceBook())
  expect(charge).toMatchObject({ basis: 'computed', book: bookJson.version })
  expect(charge.basis === 'computed' && formatUsd(charge.total)).toBe('0.004800000000')
})

test('the additions that the reference shows are accepted, and mean what it says', () => {
  const page = readFileSync(new URL('../docs/reference/prices.md', import.meta.url), 'utf8')
  const example = parse(/```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '') as { prices: unknown; tools: unknown }
  const book = createPriceBook(withPrices(bookJson, example.prices))
  const cost = (provider: string, model: string, usage: Record<string, number>) => {
    const charge = chargeOf(usage, { provider, model }, at, book)
    return charge.basis === 'unpriced' ? charge.reason : formatUsd(charge.total)
  }
  expect(cost('acme', 'house-model', { input: 1_000_000 })).toBe('1.500000000000')
  expect(cost('azure', 'prod-chat', { input: 1_000_000 })).toBe('1.800000000000')
  expect(cost('openai', 'gpt-4.1-mini', { cache_read: 1_000_000 })).toBe('0.080000000000')
  expect(cost('openai', 'gpt-4.1', { output: 1_000_000 })).toBe('6.800000000000')
  expect(cost('ollama', 'qwen3:8b', { output: 1_000_000, machine_ms: 3_600_000 })).toBe('1.200000000000')
  expect([...parseToolPrices(example.tools).keys()]).toEqual(['web-search', 'crawler', 'sandbox'])
})
