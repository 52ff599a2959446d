import type { Dialect } from '../src/providers/dialect.ts'
import { dialectNamed } from '../src/providers/dialects.ts'

export interface ProvidersFigures {
  /** Parsed answers of 1 KB whose usage is read in a second, by dialect. */
  readonly bodies: readonly { readonly dialect: string; readonly perSecond: number }[]
  readonly bodiesLimit: number
  /**
   * Reading a stream of 50 events ÷ looking once at each of its bytes (a loop that counts newlines): as servers send it, one event
   * per piece, and in pieces of 16 KB, as it arrives when the reader is behind.
   */
  readonly streams: readonly { readonly dialect: string; readonly bytes: number; readonly ratio: number; readonly joinedRatio: number }[]
  readonly streamsLimit: number
}

/** Many short rounds: what else the machine does then falls into few of them, and the median leaves those out. */
const rounds = 301
const perRound = 20
const events = 50

/** One row per dialect of those that agents stream all day, measured in one run, ours and the scan by turns. */
export const measureProviders = (): ProvidersFigures => ({
  bodies: bodies.map(([name, body]) => ({ dialect: name, perSecond: bodiesPerSecond(dialectOf(name), body) })),
  bodiesLimit: 400_000,
  streams: streams.map(([name, provider, records]) => {
    const pieces = records.map((record) => Buffer.from(record))
    const joined = joinedPieces(pieces)
    return {
      dialect: name,
      bytes: pieces.reduce((sum, piece) => sum + piece.length, 0),
      ratio: streamRatio(dialectOf(name), provider, pieces),
      joinedRatio: streamRatio(dialectOf(name), provider, joined),
    }
  }),
  streamsLimit: 1.3,
})

export const benchProviders = async (): Promise<void> => {
  const figures = measureProviders()
  for (const { dialect, perSecond } of figures.bodies) {
    console.log(
      `body    ${dialect.padEnd(20)} ${perSecond.toLocaleString('en')} usages/s of 1 KB (limit ${figures.bodiesLimit.toLocaleString('en')})`,
    )
  }
  for (const { dialect, bytes, ratio, joinedRatio } of figures.streams) {
    console.log(
      `stream  ${dialect.padEnd(20)} ${ratio.toFixed(2)} of one scan of its ${bytes} bytes (limit ${figures.streamsLimit}), ${joinedRatio.toFixed(2)} in pieces of 16 KB`,
    )
  }
}

const dialectOf = (name: string): Dialect => {
  const dialect = dialectNamed(name)
  if (dialect === undefined) throw new Error(`No dialect is named ${name}.`)
  return dialect
}

const text = 'It was the best of times, it was the worst of times. '.repeat(13)

const bodies: readonly (readonly [string, unknown])[] = [
  [
    'openai-chat',
    {
      id: 'chatcmpl-CfT1x0aBcDeFgHiJkLmNoPqRsTuV',
      object: 'chat.completion',
      created: 1763800000,
      model: 'gpt-4.1-2025-04-14',
      choices: [{ index: 0, message: { role: 'assistant', content: text, refusal: null }, logprobs: null, finish_reason: 'stop' }],
      usage: {
        prompt_tokens: 2006,
        completion_tokens: 300,
        total_tokens: 2306,
        prompt_tokens_details: { cached_tokens: 1920, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 64, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
      },
      service_tier: 'default',
    },
  ],
  [
    'openai-responses',
    {
      id: 'resp_68f0a1b2c3d4e5f6',
      object: 'response',
      status: 'completed',
      model: 'gpt-5.1-2025-11-13',
      output: [{ id: 'msg_1', type: 'message', status: 'completed', content: [{ type: 'output_text', text, annotations: [] }] }],
      service_tier: 'default',
      usage: {
        input_tokens: 2100,
        input_tokens_details: { cached_tokens: 1920 },
        output_tokens: 500,
        output_tokens_details: { reasoning_tokens: 448 },
        total_tokens: 2600,
      },
    },
  ],
  [
    'anthropic-messages',
    {
      id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5-20250929',
      content: [{ type: 'text', text }],
      stop_reason: 'end_turn',
      usage: {
        input_tokens: 12,
        cache_creation_input_tokens: 3000,
        cache_read_input_tokens: 20000,
        cache_creation: { ephemeral_5m_input_tokens: 1000, ephemeral_1h_input_tokens: 2000 },
        output_tokens: 400,
        service_tier: 'standard',
      },
    },
  ],
  [
    'gemini',
    {
      candidates: [{ content: { parts: [{ text }], role: 'model' }, finishReason: 'STOP', index: 0 }],
      usageMetadata: {
        promptTokenCount: 1000,
        candidatesTokenCount: 200,
        totalTokenCount: 1300,
        thoughtsTokenCount: 100,
        promptTokensDetails: [{ modality: 'TEXT', tokenCount: 1000 }],
      },
      modelVersion: 'gemini-2.5-flash',
      responseId: 'abcdefghijkl',
    },
  ],
  [
    'ollama',
    {
      model: 'llama3.2',
      created_at: '2026-11-22T10:00:00Z',
      message: { role: 'assistant', content: text },
      done: true,
      done_reason: 'stop',
      total_duration: 5191566416,
      prompt_eval_count: 26,
      eval_count: 298,
    },
  ],
]

const words = Array.from({ length: events }, (_, index) => ` word${index % 7}`)
const event = (record: unknown): string => `data: ${JSON.stringify(record)}\n\n`
const named = (record: { readonly type: string }): string => `event: ${record.type}\n${event(record)}`

const chunk = (delta: object, index: number, more: object = {}): string =>
  event({
    id: 'chatcmpl-CfT1x0aBcDeFgHiJkLmNoPqRsTuV',
    object: 'chat.completion.chunk',
    created: 1763800000,
    model: 'gpt-4.1-2025-04-14',
    service_tier: 'default',
    system_fingerprint: 'fp_0123456789',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: null }],
    usage: null,
    obfuscation: 'x'.repeat(index % 9),
    ...more,
  })

const chatUsage = {
  prompt_tokens: 2006,
  completion_tokens: 300,
  total_tokens: 2306,
  prompt_tokens_details: { cached_tokens: 1920, audio_tokens: 0 },
}

const geminiChunk = (word: string, index: number): string =>
  event({
    candidates: [
      { content: { parts: [{ text: word.repeat(30) }], role: 'model' }, ...(index === events - 1 && { finishReason: 'STOP' }), index: 0 },
    ],
    usageMetadata: {
      promptTokenCount: 1000,
      candidatesTokenCount: index,
      totalTokenCount: 1100 + index,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: 1000 }],
      thoughtsTokenCount: 100,
    },
    modelVersion: 'gemini-2.5-flash',
    responseId: 'abcdefghijkl',
  })

/** As the providers' servers send them, with the fields that they have today. */
const streams: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'openai-chat',
    'openai',
    [
      chunk({ role: 'assistant', content: '', refusal: null }, 0),
      ...words.slice(3).map((content, index) => chunk({ content }, index)),
      chunk({}, 0, { choices: [], usage: chatUsage }),
      'data: [DONE]\n\n',
    ],
  ],
  [
    'openai-responses',
    'openai',
    [
      named({ type: 'response.created', response: { id: 'resp_68', object: 'response', model: 'gpt-5.1', output: [], usage: null } } as {
        type: string
      }),
      ...words.slice(2).map((delta, index) =>
        named({
          type: 'response.output_text.delta',
          sequence_number: index + 100,
          item_id: 'msg_68f0a1b2c3d4e5f60123456789abcdef0123456789',
          output_index: 0,
          content_index: 0,
          delta,
          logprobs: [],
          obfuscation: 'x'.repeat(index % 9),
        } as { type: string }),
      ),
      named({ type: 'response.completed', response: (bodies[1] ?? [])[1] } as { type: string }),
    ],
  ],
  [
    'anthropic-messages',
    'anthropic',
    [
      named({ type: 'message_start', message: { ...Object((bodies[2] ?? [])[1]), content: [] } } as { type: string }),
      ...words
        .slice(3)
        .map((word) =>
          named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: word.repeat(4) } } as { type: string }),
        ),
      named({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 400 } } as { type: string }),
      named({ type: 'message_stop' }),
    ],
  ],
  // Google ends its lines with CRLF.
  ['gemini', 'google', words.map((word, index) => geminiChunk(word, index).replaceAll('\n', '\r\n'))],
  [
    'ollama',
    'ollama',
    [
      ...words
        .slice(1)
        .map(
          (content) =>
            `${JSON.stringify({ model: 'llama3.2', created_at: '2026-11-22T10:00:00.123456Z', message: { role: 'assistant', content }, done: false })}\n`,
        ),
      `${JSON.stringify((bodies[4] ?? [])[1])}\n`,
    ],
  ],
]

const joinedPieces = (pieces: readonly Buffer[]): readonly Buffer[] => {
  const whole = Buffer.concat(pieces)
  return Array.from({ length: Math.ceil(whole.length / 16_384) }, (_, index) => whole.subarray(index * 16_384, (index + 1) * 16_384))
}

/** Kept and shown to nobody, so that no loop can be left out. */
let sum = 0

const bodiesPerSecond = (dialect: Dialect, body: unknown): number => {
  const context = { provider: 'openai' }
  const run = (count: number): void => {
    for (let index = 0; index < count; index++) sum += dialect.ofBody(body, context).usage.input ?? 0
  }
  run(20_000)
  return Math.round(20_000_000 / quickOf(Array.from({ length: 21 }, () => msOf(() => run(20_000)))))
}

const streamRatio = (dialect: Dialect, provider: string, pieces: readonly Uint8Array[]): number => {
  const read = (): void => {
    for (let turn = 0; turn < perRound; turn++) {
      const reader = dialect.createReader({ provider })
      for (const piece of pieces) reader.push(piece)
      sum += reader.end().usage.input ?? 0
    }
  }
  const scan = (): void => {
    let lines = 0
    for (let turn = 0; turn < perRound; turn++) {
      for (const piece of pieces) for (let index = 0; index < piece.length; index++) if (piece[index] === 10) lines += 1
    }
    sum += lines
  }
  // Until the optimizing compiler is done, which on a busy machine has to wait for its turn as well.
  for (let warm = 0; warm < 750; warm++) {
    read()
    scan()
  }
  if (sum === 0) throw new Error('Nothing was read.')
  const ratios = Array.from({ length: rounds }, () => msOf(read) / msOf(scan)).sort((left, right) => left - right)
  return ratios[Math.floor(rounds / 2)] ?? 0
}

const msOf = (run: () => void): number => {
  const start = performance.now()
  run()
  return performance.now() - start
}

/** The fastest tenth: on a machine that does other things as well the slower rounds measure those. */
const quickOf = (values: readonly number[]): number => [...values].sort((left, right) => left - right)[Math.floor(values.length / 10)] ?? 0

if (import.meta.main) await benchProviders()
