import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isUnit } from '../core/units.ts'
import { countMax, usageFlags } from '../core/usage.ts'
import type { UsageReport } from './dialect.ts'
import { dialects, recogniseDialect } from './dialects.ts'
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
