import { describe, expect, test } from 'vitest'
import { buildProviders } from './build.ts'
import { decimalOf } from './candidate.ts'
import { checkProviders } from './checks.ts'
import type { Override } from './overrides.ts'
import { readSnapshots, type Snapshots } from './sources.ts'

type Snapshot<Source extends keyof Snapshots> = Snapshots[Source]['json']

/** The price files that the sources make together; a source that is not given says nothing. */
const build = (
  given: { readonly [Source in keyof Snapshots]?: Snapshot<Source> },
  overrides: readonly Partial<Override>[] = [],
  asOf: Partial<Record<keyof Snapshots, string>> = {},
) => {
  const snapshots: Snapshots = {
    genai: { json: given.genai ?? [], asOf: asOf.genai ?? '2026-09-23' },
    langfuse: { json: given.langfuse ?? [], asOf: '2026-08-20' },
    modelsDev: { json: given.modelsDev ?? {}, asOf: asOf.modelsDev ?? '2026-07-02' },
    portkey: { json: given.portkey ?? {}, asOf: asOf.portkey ?? '2026-08-20' },
    litellm: { json: given.litellm ?? {}, asOf: asOf.litellm ?? '2026-08-01' },
  }
  const readings = readSnapshots(snapshots)
  const all = overrides.map(
    (override) => ({ source: 'https://page', date: '2026-11-22', why: 'because the page says so', ...override }) as Override,
  )
  const built = buildProviders(
    readings.flatMap(({ candidates }) => candidates),
    all,
    '2026-11-22',
  )
  return {
    ...built,
    unread: readings.flatMap(({ unread }) => unread),
    faults: checkProviders(built.providers, all).faults.map(({ where, what }) => `${where}: ${what}`),
    periods: (provider: string, model: string) => built.providers[provider]?.models[model]?.periods,
    period: (provider: string, model: string) => built.providers[provider]?.models[model]?.periods[0],
  }
}

const genai = (id: string, models: readonly { readonly id: string; readonly prices: unknown }[]): Snapshot<'genai'> =>
  [{ id, models: models.map(({ id: model, prices }) => ({ id: model, match: { equals: model }, prices })) }] as unknown as Snapshot<'genai'>
const cents = (input: number, output: number, more: object = {}) => ({
  pricing_config: { pay_as_you_go: { request_token: { price: input }, response_token: { price: output }, ...more } },
})
const litellm = (vendor: string, key: string, prices: object): Snapshot<'litellm'> => ({
  [key]: { litellm_provider: vendor, mode: 'chat', ...prices },
})
const langfuse = (
  modelName: string,
  ...tiers: readonly (readonly [conditions: readonly object[], prices: object])[]
): Snapshot<'langfuse'> =>
  [
    { modelName, updatedAt: '2026-08-20T00:00:00Z', pricingTiers: tiers.map(([conditions, prices]) => ({ conditions, prices })) },
  ] as unknown as Snapshot<'langfuse'>
const perToken = (input: number, output: number, more: object = {}) => ({
  input_cost_per_token: input,
  output_cost_per_token: output,
  ...more,
})

describe('numbers', () => {
  test.each([
    [2.9999999999999997e-6, 6, '3'],
    [3.0000000000000004e-7, 6, '0.3'],
    [3.75e-8, 6, '0.0375'],
    [2.8e-9, 6, '0.0028'],
    [3.625e-9, 6, '0.003625'],
    [0.0003, 4, '3'],
    [1e-12, 6, '0.000001'],
    [600, 0, '600'],
    [0.5, 1, '5'],
    [0, 6, '0'],
  ])('%d × 10^%i is %s, without the noise of binary floats', (value, shift, decimal) => {
    expect(decimalOf(value, shift)).toBe(decimal)
  })

  test('that are negative are refused', () => {
    expect(() => decimalOf(-1, 0)).toThrow('not negative')
  })
})

describe('two sources that agree', () => {
  test('confirm a rate, and one alone does not', () => {
    const { period } = build({
      modelsDev: { mistral: { m: { cost: { input: 2, output: 6, cache_read: 0.2 } } } },
      portkey: { 'mistral-ai': { m: cents(0.0002, 0.0006) } },
    })
    expect(period('mistral', 'm')).toEqual({
      rates: { input: '2', cache_read: '0.2', output: '6' },
      except: { cache_read: 'single-source' },
      confidence: 'confirmed',
    })
  })

  test('stand against a third (LiteLLM has gpt-5.5 priority at 10 and 60)', () => {
    const sources = {
      modelsDev: {
        openai: {
          'gpt-5.5': {
            cost: { input: 5, output: 30 },
            modes: { fast: { cost: { input: 12.5, output: 75 }, provider: { body: { service_tier: 'priority' } } } },
          },
        },
      },
      langfuse: langfuse(
        'gpt-5.5-2026-04-23',
        [[], { input: 5e-6, output: 3e-5 }],
        [[{ key: 'service_tier', operator: 'in', values: ['fast', 'priority'] }], { input: 1.25e-5, output: 7.5e-5 }],
      ),
      litellm: litellm(
        'openai',
        'gpt-5.5',
        perToken(5e-6, 3e-5, { input_cost_per_token_priority: 1e-5, output_cost_per_token_priority: 6e-5 }),
      ),
    }
    const { period, conflicts } = build(sources)
    expect(period('openai', 'gpt-5.5')).toMatchObject({
      rates: { input: '5', output: '30' },
      variants: [{ tier: 'priority', multiply: '2.5' }],
    })
    expect(conflicts).toHaveLength(2)
    expect(conflicts[0]).toMatchObject({ slot: 'tier=priority|0|input', chosen: '12.5', isOutvoted: true })
  })

  test('are one model under two spellings, but not at two prices', () => {
    const { providers } = build({
      modelsDev: { openai: { 'gpt-4o': { cost: { input: 2.5, output: 10 } }, 'gpt-4o-2024-05-13': { cost: { input: 5, output: 15 } } } },
      portkey: { openai: { 'gpt-4o-2024-11-20': cents(0.00025, 0.001) } },
    })
    expect(Object.entries(providers.openai?.models ?? {}).map(([name, { periods }]) => [name, periods[0]?.confidence])).toEqual([
      ['gpt-4o', 'confirmed'],
      ['gpt-4o-2024-05-13', 'single-source'],
    ])
  })
})

describe('sources that differ', () => {
  const disagreement = {
    genai: genai('mistral', [{ id: 'm', prices: { input_mtok: 2, output_mtok: 6 } }]),
    portkey: { 'mistral-ai': { m: cents(0.0003, 0.0009, { cache_read_input_token: { price: 0.00003 } }) } },
  }

  test('leave the word to the most trustworthy, and are reported', () => {
    const { period, conflicts } = build(disagreement)
    // What the other one says of the cache belongs to a price that does not stand.
    expect(period('mistral', 'm')).toEqual({ rates: { input: '2', output: '6' }, confidence: 'single-source' })
    expect(conflicts.map(({ chosen, isOutvoted }) => [chosen, isOutvoted])).toEqual([
      ['2', false],
      ['6', false],
    ])
  })

  test('are settled by a decision, which is then no conflict', () => {
    const { period, conflicts } = build(disagreement, [{ provider: 'mistral', models: 'm', rates: { input: '2.5', output: '7' } }])
    expect(period('mistral', 'm')).toEqual({ rates: { input: '2.5', output: '7' }, confidence: 'decided' })
    expect(conflicts).toEqual([])
  })
})

describe('known faults', () => {
  test('a zero beside silence is no price, and a zero for a cache write never is', () => {
    const { period, providers } = build({
      portkey: { 'x-ai': { image: cents(0, 0), chat: cents(0.0002, 0.001, { cache_write_input_token: { price: 0 } }) } },
      modelsDev: { xai: { chat: { cost: { input: 2, output: 10, cache_write: 0 } } } },
    })
    expect(providers.xai?.models).not.toHaveProperty('image')
    expect(period('xai', 'chat')?.rates).toEqual({ input: '2', output: '10' })
  })

  test('a model is free where two say so, or its name does', () => {
    const { period } = build({
      portkey: { openrouter: { 'a/b:free': cents(0, 0) }, 'z-ai': { flash: cents(0, 0) } },
      modelsDev: { zai: { flash: { cost: { input: 0, output: 0 } } } },
    })
    expect(period('openrouter', 'a/b:free')?.rates).toEqual({ input: '0', output: '0' })
    expect(period('zai', 'flash')).toMatchObject({ rates: { input: '0', output: '0' }, confidence: 'confirmed' })
  })

  test('an embedding has no output, whatever two sources say', () => {
    const { period } = build({
      portkey: { openai: { embed: cents(0.000002, 0) } },
      litellm: { embed: { litellm_provider: 'openai', mode: 'embedding', ...perToken(2e-8, 0) } },
    })
    expect(period('openai', 'embed')?.rates).toEqual({ input: '0.02' })
  })

  test("LiteLLM's entries for OpenRouter are not read", () => {
    const { providers } = build({ litellm: litellm('openrouter', 'openrouter/a/b', perToken(1e-6, 2e-6)) })
    expect(providers.openrouter?.models).not.toHaveProperty('a/b')
  })

  test('hours without a date belong to the last dated period', () => {
    const price = (rate: number) => ({ input_mtok: rate, output_mtok: rate * 3 })
    const { periods } = build({
      genai: genai('deepseek', [
        {
          id: 'v4',
          prices: [
            { prices: price(1) },
            { constraint: { start_date: '2026-08-17' }, prices: price(2) },
            { constraint: { start_time: '01:00:00Z', end_time: '04:00:00Z' }, prices: price(4) },
          ],
        },
      ]),
    })
    expect(periods('deepseek', 'v4')).toEqual([
      { rates: { input: '1', output: '3' }, confidence: 'single-source' },
      {
        from: '2026-08-17',
        rates: { input: '2', output: '6' },
        hours: [{ from: '01:00', to: '04:00', rates: { input: '4', output: '12' } }],
        confidence: 'single-source',
      },
    ])
  })

  test("Portkey's file for DeepSeek speaks of the time before the price change of August 2026", () => {
    const price = (rate: number) => ({ input_mtok: rate, output_mtok: rate })
    const { periods, conflicts } = build({
      genai: genai('deepseek', [
        { id: 'v4', prices: [{ prices: price(1) }, { constraint: { start_date: '2026-08-17' }, prices: price(2) }] },
      ]),
      portkey: { deepseek: { v4: cents(0.0001, 0.0001) } },
    })
    expect(periods('deepseek', 'v4')?.map(({ from, confidence }) => [from, confidence])).toEqual([
      [undefined, 'confirmed'],
      ['2026-08-17', 'single-source'],
    ])
    expect(conflicts).toEqual([])
  })

  test('an undated source speaks for the period of its own day', () => {
    const price = (rate: number) => ({ input_mtok: rate, output_mtok: rate })
    const sources = {
      genai: genai('mistral', [
        { id: 'm', prices: [{ prices: price(1) }, { constraint: { start_date: '2026-08-01' }, prices: price(2) }] },
      ]),
      portkey: { 'mistral-ai': { m: cents(0.0002, 0.0002) } },
      modelsDev: { mistral: { m: { cost: { input: 1, output: 1 } } } },
    }
    expect(
      build(sources)
        .periods('mistral', 'm')
        ?.map(({ confidence }) => confidence),
    ).toEqual(['confirmed', 'confirmed'])
    expect(build(sources).conflicts).toEqual([])
  })

  test('the price of a search or a page under the name of a token is one of searches or pages', () => {
    const { period, faults } = build({
      portkey: { cohere: { 'rerank-v3.5': cents(0.2, 0) }, 'mistral-ai': { 'mistral-ocr-4': cents(0.4, 0) } },
    })
    expect(period('cohere', 'rerank-v3.5')?.rates).toEqual({ search_unit: '2' })
    expect(period('mistral', 'mistral-ocr-4')?.rates).toEqual({ page: '4' })
    expect(faults).toEqual([])
  })

  test('half a price list is none (LiteLLM has a priority input for gpt-5-nano and no output)', () => {
    const { period } = build({ litellm: litellm('openai', 'nano', perToken(5e-8, 4e-7, { input_cost_per_token_priority: 2.5e-6 })) })
    expect(period('openai', 'nano')?.variants).toBeUndefined()
  })

  test('a rate that nobody asks loses to one that somebody would, and alone it fails the run', () => {
    const audio = { request_audio_token: { price: 0.3 } }
    const sources = { portkey: { openai: { transcribe: cents(0.000125, 0.0005, audio) } } }
    expect(build(sources).faults).toEqual(['openai/transcribe: input_audio at $3000 is out of range'])
    const both = { ...sources, litellm: litellm('openai', 'transcribe', perToken(1.25e-6, 5e-6, { input_cost_per_audio_token: 3e-6 })) }
    expect(build(both).period('openai', 'transcribe')?.rates.input_audio).toBe('3')
    expect(build(both).faults).toEqual([])
  })

  test('a change of more than five times fails the run until it is decided', () => {
    const sources = {
      genai: genai('mistral', [
        {
          id: 'm',
          prices: [
            { prices: { input_mtok: 1, output_mtok: 5 } },
            { constraint: { start_date: '2026-08-01' }, prices: { input_mtok: 0.19, output_mtok: 1 } },
          ],
        },
      ]),
    }
    expect(build(sources).faults).toEqual(['mistral/m: input from $1 to $0.19 on 2026-08-01 is more than 5 times'])
    expect(build(sources, [{ provider: 'mistral', models: 'm', allow: 'jump' }]).faults).toEqual([])
  })

  test('what no reader knows is named', () => {
    const { unread } = build({ genai: genai('mistral', [{ id: 'm', prices: { input_mtok: 1, smell_mtok: 2 } }]) })
    expect(unread).toEqual(['smell_mtok'])
  })
})

describe('price lists', () => {
  test('tiers begin at or past their threshold as the provider has it', () => {
    const tiered = {
      input_mtok: { base: 1, tiers: [{ start: 271_999, price: 2 }] },
      output_mtok: { base: 3, tiers: [{ start: 271_999, price: 4 }] },
    }
    expect(build({ genai: genai('openai', [{ id: 'm', prices: tiered }]) }).period('openai', 'm')?.tiers).toEqual([
      { basis: 'prompt', scope: 'request', op: 'gte', threshold: 272_000, rates: { input: '2', output: '4' } },
    ])
    const google = litellm(
      'gemini',
      'gemini/m',
      perToken(1e-6, 3e-6, { input_cost_per_token_above_200k_tokens: 2e-6, output_cost_per_token_above_200k_tokens: 4e-6 }),
    )
    expect(build({ litellm: google }).period('google', 'm')?.tiers).toMatchObject([{ op: 'gt', threshold: 200_000 }])
    const open: Partial<Override> = { provider: 'openai', models: 'm', op: 'gt' }
    expect(build({ genai: genai('openai', [{ id: 'm', prices: tiered }]) }, [open]).period('openai', 'm')?.tiers).toMatchObject([
      { op: 'gt' },
    ])
  })

  test('regions and modes become variants; those that cost what two others make together are not said again', () => {
    const mode = (input: number, output: number) => ({
      pricing_config: { pay_as_you_go: { request_token: { price: input }, response_token: { price: output } } },
    })
    const regions = {
      default: { execution_modes: { standard: mode(0.0005, 0.003), batch: mode(0.00025, 0.0015), flex: mode(0.0003, 0.0015) } },
      'us,eu': { execution_modes: { standard: mode(0.00055, 0.0033), batch: mode(0.000275, 0.00165) } },
    }
    const { period } = build({ portkey: { openai: { m: { ...cents(0.0005, 0.003), custom_pricing: { regions } } } } })
    expect(period('openai', 'm')?.variants).toEqual([
      { tier: 'batch', multiply: '0.5' },
      { tier: 'flex', rates: { input: '3', output: '15' } },
      { regions: ['eu', 'us'], multiply: '1.1' },
    ])
  })

  test('a cached token in a batch without a cache rate pays what an input token does, where there is no discount', () => {
    const sources = litellm(
      'openai',
      'm',
      perToken(2e-6, 8e-6, { cache_read_input_token_cost: 5e-7, input_cost_per_token_batches: 1e-6, output_cost_per_token_batches: 4e-6 }),
    )
    expect(build({ litellm: sources }).period('openai', 'm')?.variants).toEqual([
      { tier: 'batch', rates: { input: '1', cache_read: '1', output: '4' } },
    ])
  })

  test('a decision by rule takes the place of what the sources list (Anthropic halves every token in a batch)', () => {
    const batch = { batch_config: { request_token: { price: 0.00025 }, response_token: { price: 0.00125 } } }
    const card = {
      pay_as_you_go: { request_token: { price: 0.0005 }, response_token: { price: 0.0025 }, cache_read_input_token: { price: 0.00005 } },
    }
    const { period } = build({ portkey: { anthropic: { claude: { pricing_config: { ...card, ...batch } } } } }, [
      { provider: 'anthropic', models: 'claude.*', variants: [{ tier: 'batch', multiply: '0.5' }] },
    ])
    expect(period('anthropic', 'claude')?.variants).toEqual([{ tier: 'batch', multiply: '0.5', confidence: 'decided' }])
  })

  test("what a seller charges as the maker does is the maker's", () => {
    const { providers } = build({
      litellm: {
        ...litellm('openai', 'gpt-x', perToken(2e-6, 8e-6)),
        ...litellm('azure', 'azure/gpt-x', perToken(2e-6, 8e-6)),
        ...litellm('azure', 'azure/gpt-y', perToken(2e-6, 8e-6)),
      },
    })
    expect(Object.keys(providers.azure?.models ?? {})).toEqual(['gpt-y'])
    expect(providers.azure?.inherits).toEqual(['openai', 'anthropic'])
  })

  test('a condition that is not known makes no price', () => {
    const { period } = build({
      langfuse: langfuse(
        'gpt-x',
        [[], { input: 1e-6, output: 2e-6 }],
        [[{ key: 'moon', operator: 'in', values: ['full'] }], { input: 9e-6, output: 9e-6 }],
      ),
    })
    expect(period('openai', 'gpt-x')).toEqual({ rates: { input: '1', output: '2' }, confidence: 'single-source' })
  })
})
