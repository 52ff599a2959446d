import { describe, expect, test } from 'vitest'
import type { Spending } from './explain.ts'
import { whyOf } from './why.ts'

const usd = (dollars: number): bigint => BigInt(Math.round(dollars * 1e12))

interface Sample {
  readonly runs: number
  readonly callsPerRun?: number
  readonly tokensPerCall?: number
  readonly usdPerToken?: number
  readonly tools?: number
}

/** Runs of one model, all alike. */
const spending = (
  { runs, callsPerRun = 4, tokensPerCall = 1_000, usdPerToken = 0.00001, tools = 0 }: Sample,
  calls = runs * callsPerRun,
): Spending => ({
  runs,
  toolCost: usd(tools * Math.max(runs, 1)),
  retryCost: 0n,
  models: new Map([
    [
      'one',
      {
        calls,
        otherCost: 0n,
        units: new Map([['input', { count: BigInt(calls * tokensPerCall), cost: usd(calls * tokensPerCall * usdPerToken) }]]),
      },
    ],
  ]),
})

const usual = { runs: 700 }
const hour = usd((700 * 0.04) / 168)

describe('whyOf', () => {
  test.each<[string, Sample, string, string | undefined, RegExp]>([
    [
      'more runs are traffic',
      { runs: 40 },
      'traffic',
      undefined,
      /^This is traffic: 40 runs where about 4\.2 are usual; a run costs \$0\.04, about as before\.$/,
    ],
    [
      'a dearer token is a price',
      { runs: 4, usdPerToken: 0.0001 },
      'price',
      'one',
      /^A run costs \$0\.40 instead of \$0\.04: \+900 % from prices \(one\)\.$/,
    ],
    ['a longer prompt is a prompt', { runs: 4, tokensPerCall: 3_000 }, 'prompt', 'one', /\+200 % from prompt tokens \(one\)/],
    ['a loop is more calls in a run', { runs: 4, callsPerRun: 60 }, 'calls', undefined, /from more calls per run/],
    ['a tool is a tool', { runs: 4, tools: 0.5 }, 'tools', undefined, /from tools/],
    [
      'the larger of two is named first',
      { runs: 8, usdPerToken: 0.0001 },
      'price',
      'one',
      /\+900 % from prices \(one\)\. Traffic alone makes \+92 %\.$/,
    ],
  ])('%s', (_, now, cause, model, sentence) => {
    const why = whyOf(spending(usual), spending(now), hour)
    expect(why?.cause).toBe(cause)
    expect(why?.model).toBe(model)
    expect(why?.sentence).toMatch(sentence)
  })

  test('between releases only the cost of a run counts, however many runs there are', () => {
    const why = whyOf(spending({ runs: 30 }), spending({ runs: 900, tokensPerCall: 2_000 }))
    expect(why).toMatchObject({ cause: 'prompt', model: 'one' })
    expect(whyOf(spending({ runs: 30 }), spending({ runs: 900 }))).toBeUndefined()
  })

  test('where nobody records runs, a call stands for one', () => {
    const calls = (count: number, more: Partial<Sample> = {}) => spending({ runs: 0, ...more }, count)
    expect(whyOf(calls(7_000), calls(400), usd(0.4))).toMatchObject({
      cause: 'traffic',
      sentence: expect.stringContaining('400 calls where about 40'),
    })
    expect(whyOf(calls(7_000), calls(40, { usdPerToken: 0.0001 }), usd(0.4))).toMatchObject({ cause: 'price' })
  })

  test('an hour in which nothing is usual is compared with one run', () => {
    expect(whyOf(spending(usual), spending({ runs: 50 }), 0n)?.sentence).toMatch(/50 runs where about 1 are usual/)
  })

  test('without anything before, or with less than was expected, there is nothing to tell', () => {
    expect(whyOf(spending({ runs: 0 }, 0), spending({ runs: 5 }), 0n)).toBeUndefined()
    expect(whyOf(spending(usual), spending({ runs: 1 }), hour)).toBeUndefined()
  })
})
