import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isUnit, type Unit } from '../core/units.ts'
import { completionTokensOf, countMax, promptTokensOf, type Usage, usageFlags } from '../core/usage.ts'
import type { UsageReport } from './dialect.ts'
import { dialectNamed, dialects, recogniseDialect } from './dialects.ts'
import { readUsage } from './read-usage.ts'

const expectSane = (report: UsageReport): void => {
  for (const [unit, count] of Object.entries(report.usage)) {
    expect(isUnit(unit)).toBe(true)
    expect(Number.isInteger(count)).toBe(true)
    expect(count).toBeGreaterThan(0)
    expect(count).toBeLessThanOrEqual(countMax)
  }
  for (const flag of report.flags) expect(usageFlags).toContain(flag)
  expect(new Set(report.flags).size).toBe(report.flags.length)
  for (const text of [report.model, report.responseId, report.tier, report.speed, report.region, report.error]) {
    if (text !== undefined) expect(text.length > 0 && text.length <= 256 && !/[\n\r]/.test(text)).toBe(true)
  }
  for (const other of report.also ?? []) expectSane(other)
}

/** Keys that some dialect reads, so that nonsense reaches every branch. */
const keys = [
  ...[
    'usage',
    'usageMetadata',
    'usage_metadata',
    'response',
    'message',
    'type',
    'id',
    'model',
    'error',
    'choices',
    'delta',
    'content',
    'object',
    'candidates',
  ],
  ...[
    'prompt_tokens',
    'completion_tokens',
    'total_tokens',
    'prompt_tokens_details',
    'completion_tokens_details',
    'cached_tokens',
    'reasoning_tokens',
  ],
  ...[
    'input_tokens',
    'output_tokens',
    'input_tokens_details',
    'cache_creation',
    'cache_creation_input_tokens',
    'iterations',
    'server_tool_use',
  ],
  ...[
    'promptTokenCount',
    'thoughtsTokenCount',
    'totalTokenCount',
    'promptTokensDetails',
    'modality',
    'tokenCount',
    'groundingMetadata',
    'webSearchQueries',
  ],
  ...[
    'inputTokens',
    'outputTokens',
    'cacheDetails',
    'ttl',
    'metadata',
    'raw',
    'steps',
    'totalUsage',
    'billed_units',
    'meta',
    'done',
    'eval_count',
    'total_duration',
  ],
  ...[
    'output',
    'status',
    'tool_usage',
    'image_gen',
    'x_groq',
    'cost',
    'cost_details',
    'is_byok',
    'cost_in_usd_ticks',
    'service_tier',
    'seconds',
    'duration',
    'data',
  ],
  ...[
    'input_token_details',
    'cached_tokens_details',
    'usage_info',
    'pages_processed',
    'prompt_audio_seconds',
    'kwargs',
    'response_metadata',
    'predictions',
    'session',
  ],
]
const leaf = fc.oneof(
  fc.integer({ min: -5, max: 100_000 }),
  fc.double(),
  fc.constantFrom(
    2 ** 53,
    1e300,
    -0,
    '12',
    '',
    'completion',
    'message',
    'message_start',
    'message_delta',
    'message_stop',
    'response.completed',
    'response.done',
  ),
  fc.constantFrom(
    'finish',
    'finish-step',
    'compaction',
    'advisor_message',
    'fallback_message',
    'AUDIO',
    'IMAGE',
    '1h',
    'tokens',
    'duration',
    'completed',
    'web_search_call',
  ),
  fc.constantFrom(null, true, false),
  fc.string({ maxLength: 20 }),
)
const { nonsense } = fc.letrec((tie) => ({
  nonsense: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('nonsense'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...keys), tie('nonsense'), { maxKeys: 8 }),
  ),
}))

describe.each(dialects.map((dialect) => [dialect.name, dialect] as const))('%s', (_, dialect) => {
  test('makes of any body whole counts, and never throws', () => {
    fc.assert(
      fc.property(nonsense, fc.constantFrom('openai', 'xai', 'openrouter', 'anthropic', '', '__proto__'), (body, provider) => {
        expectSane(dialect.ofBody(body, { provider }))
        const read = readUsage({ dialect: dialect.name, provider, rawUsage: body })
        if (!('failure' in read)) expectSane(read)
      }),
      { numRuns: 300 },
    )
  })

  test('makes of any records whole counts, and never throws', () => {
    const events = fc.array(fc.oneof(nonsense, fc.constantFrom('[DONE]')), { maxLength: 8 })
    fc.assert(
      fc.property(events, fc.constantFrom('data: ', '', 'event: x\ndata: '), (records, prefix) => {
        const reader = dialect.createReader({ provider: 'openai' })
        for (const record of records) reader.push(Buffer.from(`${prefix}${record === '[DONE]' ? record : JSON.stringify(record)}\n\n`))
        expectSane(reader.end())
      }),
      { numRuns: 150 },
    )
  })
})

test('anything is recognised or not, and never throws', () => {
  fc.assert(
    fc.property(nonsense, (body) => {
      recogniseDialect({ body })
      readUsage({ body })
      readUsage({ rawUsage: body })
    }),
  )
})

const tokens = fc.integer({ min: 0, max: 1_000_000 })

/** A usage as it is, and how each dialect would print it. */
const consistent = fc.record({
  fresh: tokens,
  cached: tokens,
  written: tokens,
  text: fc.integer({ min: 1, max: 100_000 }),
  reasoning: tokens,
})
type Counts = typeof consistent extends fc.Arbitrary<infer T> ? T : never

const partsOf = ({ fresh, cached, written, text, reasoning }: Counts): Usage => {
  const all: Partial<Record<Unit, number>> = { input: fresh, cache_read: cached, cache_write_5m: written, output: text, reasoning }
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0))
}

const sse = (records: readonly unknown[]): readonly Buffer[] =>
  records.map((record) => Buffer.from(`data: ${typeof record === 'string' ? record : JSON.stringify(record)}\n\n`))

interface Form {
  readonly dialect: string
  readonly provider: string
  /** Prompt and completion as the provider's own answer has them. */
  readonly body: (counts: Counts) => unknown
  readonly records: (counts: Counts) => readonly unknown[]
  /** What the provider itself calls the total. */
  readonly total: (counts: Counts) => number
}

const everything = ({ fresh, cached, written, text, reasoning }: Counts): number => fresh + cached + written + text + reasoning

const chatUsage = (counts: Counts, isBeside: boolean) => ({
  prompt_tokens: counts.fresh + counts.cached + counts.written,
  completion_tokens: counts.text + (isBeside ? 0 : counts.reasoning),
  total_tokens: everything(counts),
  prompt_tokens_details: { cached_tokens: counts.cached, cache_write_tokens: counts.written },
  completion_tokens_details: { reasoning_tokens: counts.reasoning },
})
const chunk = (delta: object, more: object = {}) => ({
  id: 'c-1',
  object: 'chat.completion.chunk',
  model: 'm-1',
  choices: [{ index: 0, delta, finish_reason: null }],
  usage: null,
  ...more,
})
const chat = (provider: string, isBeside: boolean): Form => ({
  dialect: 'openai-chat',
  provider,
  total: everything,
  body: (counts) => ({ id: 'c-1', object: 'chat.completion', model: 'm-1', choices: [], usage: chatUsage(counts, isBeside) }),
  records: (counts) => [
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Hello' }),
    chunk({ content: ' there' }),
    chunk({}, { choices: [], usage: chatUsage(counts, isBeside) }),
    '[DONE]',
  ],
})

const responsesAnswer = (counts: Counts) => ({
  id: 'c-1',
  object: 'response',
  model: 'm-1',
  output: [],
  usage: {
    input_tokens: counts.fresh + counts.cached + counts.written,
    input_tokens_details: { cached_tokens: counts.cached, cache_write_tokens: counts.written },
    output_tokens: counts.text + counts.reasoning,
    output_tokens_details: { reasoning_tokens: counts.reasoning },
    total_tokens: everything(counts),
  },
})

const anthropicUsage = (counts: Counts) => ({
  input_tokens: counts.fresh,
  cache_read_input_tokens: counts.cached,
  cache_creation_input_tokens: counts.written,
  output_tokens: counts.text + counts.reasoning,
  output_tokens_details: { thinking_tokens: counts.reasoning },
})
const block = (text: string) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })

const geminiAnswer = (counts: Counts, share: number) => ({
  candidates: [{ content: { parts: [{ text: 'Hello' }] }, ...(share === 1 && { finishReason: 'STOP' }) }],
  modelVersion: 'm-1',
  responseId: 'c-1',
  usageMetadata: {
    promptTokenCount: counts.fresh + counts.cached + counts.written,
    cachedContentTokenCount: counts.cached,
    candidatesTokenCount: Math.floor(counts.text * share),
    thoughtsTokenCount: counts.reasoning,
    totalTokenCount: counts.fresh + counts.cached + counts.written + Math.floor(counts.text * share) + counts.reasoning,
  },
})

const forms: readonly Form[] = [
  chat('openai', false),
  chat('xai', true),
  {
    dialect: 'openai-responses',
    provider: 'openai',
    total: everything,
    body: responsesAnswer,
    records: (counts) => [
      { type: 'response.created', response: { id: 'c-1', object: 'response', model: 'm-1', usage: null } },
      { type: 'response.output_text.delta', delta: 'Hello' },
      { type: 'response.output_text.delta', delta: ' there' },
      { type: 'response.completed', response: responsesAnswer(counts) },
    ],
  },
  {
    dialect: 'anthropic-messages',
    provider: 'anthropic',
    total: everything,
    body: (counts) => ({ id: 'c-1', type: 'message', model: 'm-1', usage: anthropicUsage(counts) }),
    records: (counts) => [
      {
        type: 'message_start',
        message: {
          id: 'c-1',
          type: 'message',
          model: 'm-1',
          usage: { ...anthropicUsage(counts), output_tokens: 1, output_tokens_details: null },
        },
      },
      block('Hello'),
      block(' there'),
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: anthropicUsage(counts) },
      { type: 'message_stop' },
    ],
  },
  {
    dialect: 'gemini',
    provider: 'google',
    total: everything,
    // Gemini does not tell what was written to its cache: it is part of the prompt.
    body: (counts) => geminiAnswer(counts, 1),
    records: (counts) => [geminiAnswer(counts, 0), geminiAnswer(counts, 0.5), geminiAnswer(counts, 1)],
  },
]

const readBody = (form: Form, counts: Counts): UsageReport => {
  const report = dialectNamed(form.dialect)?.ofBody(form.body(counts), { provider: form.provider })
  if (report === undefined) throw new Error(form.dialect)
  return report
}

const readRecords = (form: Form, records: readonly unknown[]): UsageReport => {
  const reader = dialectNamed(form.dialect)?.createReader({ provider: form.provider })
  if (reader === undefined) throw new Error(form.dialect)
  for (const piece of sse(records)) reader.push(piece)
  return reader.end()
}

describe.each(forms.map((form) => [`${form.dialect} of ${form.provider}`, form] as const))('%s', (_, form) => {
  test('the parts sum to what the provider calls the total', () => {
    fc.assert(
      fc.property(consistent, (counts) => {
        // Where nothing was thought Gemini's inclusive and exclusive forms are the same.
        const report = readBody(form, counts)
        expect(promptTokensOf(report.usage) + completionTokensOf(report.usage)).toBe(form.total(counts))
        expect(report.flags).toEqual([])
        expect(report.quality).toBe('complete')
        if (form.dialect !== 'gemini') expect(report.usage).toEqual(partsOf(counts))
      }),
    )
  })

  test('a stream gives what the body gives', () => {
    fc.assert(
      fc.property(consistent, (counts) => {
        expect(readRecords(form, form.records(counts))).toEqual(readBody(form, counts))
      }),
    )
  })

  test('records that come again, wherever, change no count', () => {
    fc.assert(
      fc.property(consistent, fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 6 }), (counts, repeats) => {
        const records = [...form.records(counts)]
        const told = readRecords(form, records)
        for (const [which, later] of repeats) {
          const from = which % records.length
          records.splice(Math.min(from + 1 + later, records.length), 0, records[from])
        }
        // What follows the end of an answer is no part of it; what is repeated before it must not be counted.
        expect(readRecords(form, records).usage).toEqual(told.usage)
      }),
    )
  })

  test('cut anywhere it is never complete, and never more than the whole', () => {
    fc.assert(
      fc.property(consistent, fc.nat(4), (counts, kept) => {
        const records = form.records(counts)
        const report = readRecords(form, records.slice(0, Math.min(kept, records.length - 1)))
        expect(report.quality).not.toBe('complete')
        expect(promptTokensOf(report.usage)).toBeLessThanOrEqual(counts.fresh + counts.cached + counts.written)
        if (report.quality === 'estimated') expect(report.usage.output).toBeGreaterThan(0)
      }),
    )
  })
})
