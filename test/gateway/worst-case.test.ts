import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { amountOf } from '../../src/core/charge.ts'
import { settleCharge } from '../../src/core/settle.ts'
import { worstCaseOf } from '../../src/guard/worst-case.ts'
import { loadPriceBook } from '../../src/pricing.ts'
import { dialectNamed } from '../../src/providers/dialects.ts'
import { mayUseOf } from '../../src/providers/may-use.ts'

const book = loadPriceBook()
const { providers } = JSON.parse(readFileSync(new URL('../../prices/book.json', import.meta.url), 'utf8')) as {
  readonly providers: Readonly<Record<string, { readonly models: Readonly<Record<string, unknown>> }>>
}
const at = Date.UTC(2026, 10, 22)

/** What a call may use: every count is a part of the prompt or of the answer, which keep to the estimate and to the limit. */
interface Parts {
  readonly model: string
  readonly prompt: number
  readonly cached: number
  readonly written: number
  readonly hour: number
  readonly audio: number
  readonly limit: number
  readonly reasoning: number
  readonly answer: number
  readonly tier: string | undefined
  /** The provider gives the tier that was asked for, or the usual one. */
  readonly isGranted: boolean
}

type Json = Readonly<Record<string, unknown>>
interface Api {
  readonly provider: string
  readonly dialect: string
  readonly path: string
  request(parts: Parts): Json
  answer(parts: Parts): Json
}

const messages = [{ role: 'user', content: 'What does it cost?' }]
const granted = ({ tier, isGranted }: Parts): string => (isGranted && tier !== undefined ? tier : 'default')
const openaiUsage = ({ prompt, cached, audio, reasoning, answer }: Parts) => ({
  prompt_tokens: prompt,
  prompt_tokens_details: { cached_tokens: Math.min(cached, prompt - audio), audio_tokens: audio },
  completion_tokens: reasoning + answer,
  completion_tokens_details: { reasoning_tokens: reasoning },
})

const apis: readonly Api[] = [
  ...['openai', 'groq', 'deepseek', 'openrouter'].map((provider) => ({
    provider,
    dialect: 'openai-chat',
    path: '/v1/chat/completions',
    request: ({ model, limit, tier, audio }: Parts) => ({
      model,
      max_completion_tokens: limit,
      service_tier: tier,
      messages: audio > 0 ? [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }] : messages,
    }),
    answer: (parts: Parts) => ({ choices: [], model: parts.model, usage: openaiUsage(parts), service_tier: granted(parts) }),
  })),
  {
    provider: 'openai',
    dialect: 'openai-responses',
    path: '/v1/responses',
    request: ({ model, limit, tier }) => ({ model, max_output_tokens: limit, service_tier: tier, input: 'What does it cost?' }),
    answer: (parts) => ({
      object: 'response',
      status: 'completed',
      model: parts.model,
      service_tier: granted(parts),
      usage: {
        input_tokens: parts.prompt,
        input_tokens_details: { cached_tokens: parts.cached, cache_write_tokens: Math.min(parts.written, parts.prompt - parts.cached) },
        output_tokens: parts.reasoning + parts.answer,
        output_tokens_details: { reasoning_tokens: parts.reasoning },
      },
    }),
  },
  {
    provider: 'anthropic',
    dialect: 'anthropic-messages',
    path: '/v1/messages',
    request: ({ model, limit, tier, written, hour }) => ({
      model,
      max_tokens: limit,
      messages,
      ...(tier !== undefined && (tier === 'fast' ? { speed: 'fast' } : { inference_geo: 'us' })),
      ...(written + hour > 0 && { cache_control: { type: 'ephemeral', ...(hour > 0 && { ttl: '1h' }) } }),
    }),
    answer: ({ model, prompt, cached, written, hour, reasoning, answer, tier, isGranted }) => ({
      type: 'message',
      model,
      usage: {
        input_tokens: Math.max(0, prompt - cached - written - hour),
        cache_read_input_tokens: Math.min(cached, prompt),
        cache_creation_input_tokens: Math.max(0, Math.min(written + hour, prompt - cached)),
        cache_creation: {
          ephemeral_1h_input_tokens: Math.max(0, Math.min(hour, prompt - cached)),
          ephemeral_5m_input_tokens: Math.max(0, Math.min(written, prompt - cached - hour)),
        },
        output_tokens: reasoning + answer,
        ...(isGranted && tier !== undefined && (tier === 'fast' ? { speed: 'fast' } : { inference_geo: 'us' })),
      },
    }),
  },
  {
    provider: 'google',
    dialect: 'gemini',
    path: '/v1beta/models/x:generateContent',
    request: ({ model, limit, tier, audio }) => ({
      model,
      generationConfig: { maxOutputTokens: limit },
      ...(tier !== undefined && { serviceTier: tier }),
      contents: [{ parts: [audio > 0 ? { inlineData: { mimeType: 'audio/mp3', data: '' } } : { text: 'What does it cost?' }] }],
    }),
    answer: (parts) => ({
      candidates: [],
      modelVersion: parts.model,
      usageMetadata: {
        promptTokenCount: parts.prompt,
        cachedContentTokenCount: Math.min(parts.cached, parts.prompt - parts.audio),
        candidatesTokenCount: parts.answer,
        thoughtsTokenCount: parts.reasoning,
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: parts.prompt - parts.audio },
          { modality: 'AUDIO', tokenCount: parts.audio },
        ],
        serviceTier: granted(parts),
      },
    }),
  },
  {
    provider: 'mistral',
    dialect: 'mistral',
    path: '/v1/chat/completions',
    request: ({ model, limit }) => ({ model, max_tokens: limit, messages }),
    answer: (parts) => ({ choices: [], model: parts.model, usage: { ...openaiUsage(parts), prompt_audio_seconds: undefined } }),
  },
]

const part = fc.double({ min: 0, max: 1, noNaN: true })
const partsOf = (provider: string): fc.Arbitrary<Parts> =>
  fc
    .record({
      model: fc.constantFrom(...Object.keys(providers[provider]?.models ?? {})),
      prompt: fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 100_000, max: 400_000 })),
      limit: fc.integer({ min: 1, max: 100_000 }),
      shares: fc.tuple(part, part, part, part, part, part),
      hasAudio: fc.boolean(),
      isCaching: fc.constantFrom(0, 1, 2),
      tier: fc.constantFrom(undefined, 'flex', 'priority', 'fast', 'us'),
      isGranted: fc.boolean(),
    })
    .map(({ model, prompt, limit, shares, hasAudio, isCaching, tier, isGranted }) => {
      const [cached, written, hour, audio, used, reasoned] = shares
      const answer = Math.floor(limit * used)
      const reasoning = Math.floor(answer * reasoned)
      return {
        model,
        prompt,
        limit,
        tier,
        isGranted,
        cached: Math.floor(prompt * cached),
        written: isCaching > 0 ? Math.floor(prompt * written) : 0,
        hour: isCaching > 1 ? Math.floor(prompt * hour) : 0,
        audio: hasAudio ? Math.floor(prompt * audio) : 0,
        reasoning,
        answer: answer - reasoning,
      }
    })

test.each(apis)('$provider, $dialect: no call is charged more than was set aside for its estimate and its limit', (api) => {
  const dialect = dialectNamed(api.dialect)
  if (dialect === undefined) throw new Error(`There is no dialect ${api.dialect}.`)
  let priced = 0
  fc.assert(
    fc.property(partsOf(api.provider), (parts) => {
      const body = api.request(parts)
      const text = JSON.stringify(body)
      const { model = '', outputMax, isStream: _, operation: __, ...variant } = dialect.ofRequest(JSON.parse(text), api.path)
      const mayUse = mayUseOf(dialect, (word) => text.includes(word))
      const ahead = {
        ...variant,
        provider: api.provider,
        model,
        promptTokens: parts.prompt,
        outputMax: outputMax ?? 0,
        ...(mayUse && { mayUse }),
      }
      const { cost } = worstCaseOf(ahead, at, book)
      const report = dialect.ofBody(api.answer(parts), { provider: api.provider })
      const charge = settleCharge({ ...report, provider: api.provider, model, at, status: 'ok' }, book)
      if (cost === undefined || charge.basis === 'unpriced') return
      priced += 1
      expect(cost).toBeGreaterThanOrEqual(amountOf(charge))
    }),
    { numRuns: 1_000 },
  )
  expect(priced).toBeGreaterThan(200)
})
