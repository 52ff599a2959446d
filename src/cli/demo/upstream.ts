import { createPlayback, type Play, type Playback } from '../../testing.ts'

const json =
  (body: unknown, status = 200): Play =>
  () => ({ status, body: JSON.stringify(body) })
const events =
  (records: readonly unknown[], end = ''): Play =>
  () => ({
    headers: { 'content-type': 'text/event-stream' },
    chunks: [...records.map((record) => `${nameOf(record)}data: ${JSON.stringify(record)}\n\n`), ...(end === '' ? [] : [end])],
  })
const nameOf = (record: unknown): string =>
  typeof record === 'object' && record !== null && 'type' in record ? `event: ${String(record.type)}\n` : ''
const lines =
  (records: readonly unknown[]): Play =>
  () => ({ headers: { 'content-type': 'application/x-ndjson' }, chunks: records.map((record) => `${JSON.stringify(record)}\n`) })

/** Streams or not, as the request asks. */
const either =
  (whole: Play, stream: Play, streamsByDefault = false): Play =>
  (request) =>
    ((request.body.stream ?? streamsByDefault) ? stream : whole)(request)

let answers = 0
const nextId = (prefix: string): string => `${prefix}-demo-${(answers += 1)}`

const chat: Play = (request) => {
  const base = { id: nextId('chatcmpl'), created: 1_795_000_000, model: request.body.model }
  const usage = {
    prompt_tokens: 1_200,
    completion_tokens: 300,
    total_tokens: 1_500,
    prompt_tokens_details: { cached_tokens: 1_024 },
    completion_tokens_details: { reasoning_tokens: 0 },
  }
  const message = { role: 'assistant', content: 'Your refund left on Monday.' }
  return either(
    json({ ...base, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }], usage }),
    events(
      [
        { ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta: message, finish_reason: null }] },
        { ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
        { ...base, object: 'chat.completion.chunk', choices: [], usage },
      ],
      'data: [DONE]\n\n',
    ),
  )(request)
}

const responses: Play = (request) => {
  const usage = {
    input_tokens: 800,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 1_100,
    output_tokens_details: { reasoning_tokens: 640 },
    total_tokens: 1_900,
  }
  const output = [
    {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'About a euro a kilometre.', annotations: [] }],
    },
  ]
  return json({
    id: nextId('resp'),
    object: 'response',
    created_at: 1_795_000_000,
    status: 'completed',
    model: request.body.model,
    output,
    usage,
  })(request)
}

const messages: Play = (request) => {
  const message = {
    id: nextId('msg'),
    type: 'message',
    role: 'assistant',
    model: request.body.model,
    stop_reason: 'end_turn',
    stop_sequence: null,
  }
  const input = {
    input_tokens: 420,
    cache_creation_input_tokens: 2_048,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 2_048 },
    service_tier: 'standard',
  }
  return either(
    json({ ...message, content: [{ type: 'text', text: 'Chapter one is about a taxi.' }], usage: { ...input, output_tokens: 210 } }),
    events([
      {
        type: 'message_start',
        message: {
          ...message,
          stop_reason: null,
          content: [],
          usage: {
            ...input,
            cache_creation_input_tokens: 0,
            cache_read_input_tokens: 2_048,
            cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
            output_tokens: 1,
          },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'A taxi meets its meter.' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 350 } },
      { type: 'message_stop' },
    ]),
  )(request)
}

const ollama: Play = (request) => {
  const base = { model: request.body.model, created_at: '2026-11-22T10:00:00Z' }
  const end = {
    ...base,
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: 'stop',
    total_duration: 900_000_000,
    load_duration: 1_000_000,
    prompt_eval_count: 64,
    prompt_eval_duration: 200_000_000,
    eval_count: 12,
    eval_duration: 600_000_000,
  }
  return either(
    json({ ...end, message: { role: 'assistant', content: 'Not spam.' } }),
    lines([{ ...base, message: { role: 'assistant', content: 'Spam.' }, done: false }, end]),
    true,
  )(request)
}

const busy: Play = () => ({
  status: 429,
  headers: { 'retry-after-ms': '1' },
  body: JSON.stringify({ error: { message: 'Slow down.', type: 'requests', code: 'rate_limit_exceeded' } }),
})

/** A local upstream that plays back what providers answer, byte for byte; the Responses API is busy once, so that a client retries. */
export const demoUpstream = (): Playback =>
  createPlayback({
    'POST /openai/v1/chat/completions': chat,
    'POST /openai/v1/responses': [busy, responses],
    'POST /anthropic/v1/messages': messages,
    'POST /ollama/api/chat': ollama,
  })
