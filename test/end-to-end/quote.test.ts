import { beforeAll, describe, expect, test } from 'vitest'
import type { QuoteAnswer } from '../../src/server/api.ts'
import { allFixtures, type Fixture } from '../fixtures/providers/all-fixtures.ts'
import { pico, sumOf } from './asking.ts'
import { openSandbox } from './sandbox.ts'

/** Every fixture that is an answer, as a line of its own; each third is followed by a line that is none. */
const answers = allFixtures().filter(({ body, text }) => body !== undefined || text !== undefined)
const noLines = [
  'nonsense',
  '{"provider":"openai"}',
  '[]',
  '{"provider":"openai","dialect":"klingon","body":{}}',
  '{"provider":7,"body":{}}',
]
const at = '2026-11-22T12:00:00Z'

const lineOf = ({ dialect, provider, body, text }: Fixture): string =>
  JSON.stringify({ dialect, provider, at, ...(text === undefined ? { body } : { stream: text }) })

type Line = Partial<QuoteAnswer> & { readonly error?: { readonly code: string; readonly message: string } }

let quotes: readonly Line[] = []
let errors: readonly Line[] = []
let code: number | null = null
beforeAll(async () => {
  await using sandbox = openSandbox()
  const input = answers.flatMap((fixture, index) => [lineOf(fixture), ...(index % 3 === 0 ? [noLines[(index / 3) % noLines.length]] : [])])
  const run = await sandbox.taximeter(['quote', '--jsonl'], { input: input.join('\n') })
  const lines: readonly Line[] = run.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect([run.err, lines.length]).toEqual(['', input.length])
  code = run.code
  quotes = lines.filter((_, place) => !noLines.includes(input[place] ?? ''))
  errors = lines.filter((_, place) => noLines.includes(input[place] ?? ''))
})

test('each line is answered in its place, what is no answer by a named error', () => {
  expect(code).toBe(0)
  expect(quotes).toHaveLength(answers.length)
  expect(new Set(errors.map(({ error }) => error?.code))).toEqual(new Set(['BAD_REQUEST', 'UNKNOWN_DIALECT']))
})

/** The parts of an answer that were billed as models of their own are in the quote's usage and lines. */
const withParts = ({ expect: { usage = {}, also = [] } }: Fixture): Record<string, number> => {
  const sum: Record<string, number> = {}
  for (const part of [usage, ...also.map((each) => each.usage ?? {})])
    for (const [unit, count] of Object.entries(part)) sum[unit] = (sum[unit] ?? 0) + Number(count)
  return sum
}

describe.each(answers.map((fixture, place) => [`${fixture.dialect}: ${fixture.name}`, fixture, place] as const))(
  '%s',
  (_, fixture, place) => {
    test('has the usage that the answer tells', () => {
      const quote = quotes[place]
      expect(quote?.usage).toEqual(withParts(fixture))
      expect([quote?.dialect, quote?.quality]).toEqual([fixture.dialect, fixture.expect.quality])
    })

    test('costs what its lines say, and its lines are count × rate', () => {
      const charge = quotes[place]?.charge
      if (charge === undefined || charge.basis === 'unpriced') {
        // Never a zero: it has a reason.
        expect(charge).toEqual({
          basis: 'unpriced',
          reason: expect.stringMatching(/^(unknown-model|not-yet-priced|missing-usage|unpriced-unit)$/),
        })
        return
      }
      const lines = sumOf(charge.lines.map((line) => pico(line.totalUsd)))
      const { reportedCostUsd } = fixture.expect
      if (reportedCostUsd === undefined) expect(pico(charge.totalUsd)).toBe(lines)
      else expect([charge.basis, charge.totalUsd]).toEqual(['reported', reportedCostUsd])
      if (charge.computedUsd !== undefined) expect(pico(charge.computedUsd)).toBe(lines)
      for (const line of charge.lines) {
        const exact = (BigInt(line.count) * pico(line.rateUsd) * pico(line.multiplier ?? '1')) / 1_000_000_000_000n
        // Rounded once, at the twelfth decimal.
        const difference = pico(line.totalUsd) - exact / BigInt(line.per)
        expect(difference === 0n || difference === 1n).toBe(true)
      }
      if (fixture.expect.quality === 'estimated') expect(charge.basis).toBe('estimated')
    })
  },
)

describe('to the last digit, by hand', () => {
  const quoteOf = (dialect: string, name: string): Line | undefined =>
    quotes[answers.findIndex((fixture) => fixture.dialect === dialect && fixture.name === name)]

  test.each<[string, string, string, string]>([
    ['openai-chat', 'xai', 'reported', '0.000117650000'],
    ['openai-chat', 'openrouter', 'reported', '0.000950000000'],
    // Both passes are billed: 61,067 in at $3 and 1,912 out at $15 per million.
    ['anthropic-messages', 'compaction', 'computed', '0.211881000000'],
    // 852 in at $4, 2,048 read at $0.40, 1,500 written at $5, 600 of a picture at $4, 700 out at $20 per million.
    ['openai-chat', 'all details', 'computed', '0.028127200000'],
    // 4,000 written for twelve hours have no price: a lower bound, and said so.
    ['openai-responses', 'cache writes of twelve hours', 'partial', '0.020400000000'],
    // 495 in at $1.25, 8,192 read at $0.20, 900 out at $2.50 per million; 5 + 1 calls at $5, one at $2.50 and one at $10 per thousand.
    ['openai-responses', 'xai tools without a cost', 'computed', '0.047007150000'],
    // 2,000 of text and 500 of sound at $2, 3,000 read at $0.20, 180 out at $12 per million. There is no price for its flex tier.
    ['gemini-interactions', 'everything', 'estimated', '0.007760000000'],
  ])('%s: %s', (dialect, name, basis, usd) => {
    expect(quoteOf(dialect, name)?.charge).toMatchObject({ basis, totalUsd: usd })
  })
})
