import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Counts, consistent, type Form, forms, partsOf, sse, toldOf } from '../../test/fixtures/providers/told-forms.ts'
import { completionTokensOf, promptTokensOf } from '../core/usage.ts'
import type { UsageReport } from './dialect.ts'
import { dialectNamed, dialects } from './dialects.ts'

const readBody = (form: Form, counts: Counts): UsageReport => {
  const report = dialectNamed(form.dialect)?.ofBody(form.body(counts), { provider: form.provider })
  if (report === undefined) throw new Error(form.dialect)
  return report
}

const readRecords = (form: Form, records: readonly unknown[]): UsageReport => {
  const reader = dialectNamed(form.dialect)?.createReader({ provider: form.provider })
  if (reader === undefined) throw new Error(form.dialect)
  const pieces = form.isLines ? records.map((record) => Buffer.from(`${JSON.stringify(record)}\n`)) : sse(records)
  for (const piece of pieces) reader.push(piece)
  return reader.end()
}

describe.each(forms.map((form) => [`${form.dialect} of ${form.provider}`, form] as const))('%s', (_, form) => {
  test('the parts sum to what the provider calls the total', () => {
    fc.assert(
      fc.property(consistent, (all) => {
        const counts = toldOf(form, all)
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
      fc.property(consistent, (all) => {
        const counts = toldOf(form, all)
        expect(readRecords(form, form.records(counts))).toEqual(readBody(form, counts))
      }),
    )
  })

  test('records that come again, wherever, change no count', () => {
    fc.assert(
      fc.property(consistent, fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 6 }), (all, repeats) => {
        const counts = toldOf(form, all)
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

  test('cut anywhere it says so, is complete only with all its counts, and never more than the whole', () => {
    fc.assert(
      fc.property(consistent, fc.nat(4), (all, kept) => {
        const counts = toldOf(form, all)
        const records = form.records(counts)
        const report = readRecords(form, records.slice(0, Math.min(kept, records.length - 1)))
        expect(report.flags).toContain('truncated-stream')
        if (report.quality === 'complete') expect(report.usage).toEqual(readRecords(form, records).usage)
        expect(promptTokensOf(report.usage)).toBeLessThanOrEqual(counts.fresh + counts.cached + counts.written)
        if (report.quality === 'estimated') expect(report.usage.output).toBeGreaterThan(0)
      }),
    )
  })
})

const imageUsage = { input_tokens: 50, input_tokens_details: { image_tokens: 20, text_tokens: 30 }, output_tokens: 900, total_tokens: 950 }
const speechUsage = {
  type: 'tokens',
  input_tokens: 14,
  input_token_details: { audio_tokens: 12, text_tokens: 2 },
  output_tokens: 45,
  total_tokens: 59,
}
const soundUsage = { input_tokens: 14, output_tokens: 101, total_tokens: 115 }
const liveUsage = { promptTokenCount: 9, responseTokenCount: 29, thoughtsTokenCount: 8, totalTokenCount: 46 }
const spoken = {
  type: 'response.done',
  response: {
    id: 'r-1',
    object: 'realtime.response',
    status: 'completed',
    usage: { input_tokens: 90, output_tokens: 40, total_tokens: 130 },
  },
}

const inOneEvent = new Set<string>()

/** Those whose answers are told in one event, or in one answer alone. */
test.each<[string, unknown, unknown]>([
  [
    'openai-images',
    { created: 1, data: [{ b64_json: 'x' }], usage: imageUsage },
    { type: 'image_generation.completed', b64_json: 'x', usage: imageUsage },
  ],
  ['openai-transcription', { text: 'Hello', usage: speechUsage }, { type: 'transcript.text.done', text: 'Hello', usage: speechUsage }],
  ['openai-speech', { usage: soundUsage }, { type: 'speech.audio.done', usage: soundUsage }],
  ['openai-realtime', spoken, spoken],
  ['gemini-live', { usageMetadata: liveUsage }, { serverContent: { turnComplete: true }, usageMetadata: liveUsage }],
  [
    'openai-embeddings',
    { object: 'list', data: [], usage: { prompt_tokens: 8 } },
    { object: 'list', data: [], usage: { prompt_tokens: 8 } },
  ],
])('%s: a stream gives what the body gives', (name, body, event) => {
  const dialect = dialectNamed(name)
  const reader = dialect?.createReader({ provider: 'openai' })
  for (const piece of sse([event])) reader?.push(piece)
  const told = reader?.end()
  expect(told?.usage).toEqual(dialect?.ofBody(body, { provider: 'openai' }).usage)
  expect([told?.quality, Object.keys(told?.usage ?? {}).length > 0]).toEqual(['complete', true])
  inOneEvent.add(name)
})

test('no dialect is left out of these', () => {
  const covered = new Set([...forms.map((form) => form.dialect), ...inOneEvent])
  expect([...covered].sort()).toEqual(dialects.map((dialect) => dialect.name).sort())
})
