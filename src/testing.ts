import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request as the playback got it. */
export interface PlayedRequest {
  readonly method: string
  /** Without its query. */
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  /** The JSON body; `{}` where there is none. */
  readonly body: Readonly<Record<string, unknown>>
  /** Of this request and no other. */
  readonly id: string
  /** UTC milliseconds. */
  readonly at: number
}

/** What is answered: a whole body, or chunks that are written one by one. */
export interface Played {
  /** Default: 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly chunks?: readonly string[]
  /** What follows the last byte. `cut`: the connection breaks. `hang`: nothing, until the client leaves. Default: the answer ends. */
  readonly finish?: 'end' | 'cut' | 'hang'
}

export type Play = (request: PlayedRequest) => Played

/** By method and path (`POST /v1/chat/completions`); a path may end in `*`. A list is played in order, its last answer again and again. */
export type Routes = Readonly<Record<string, Play | readonly Play[]>>

export interface Playback {
  /** Listens on a free port of the loopback address, and returns the base URL without a slash at its end. */
  listen(): Promise<string>
  readonly requests: readonly PlayedRequest[]
  close(): Promise<void>
}

const requestBytesMax = 32 * 1024 * 1024

export interface PlaybackOptions {
  /** What the ids of its answers begin with. Default: something random, so that two playbacks never answer with the same id. */
  readonly name?: string
  /** UTC milliseconds. */
  readonly now?: () => number
}

/** A model provider that plays back what it is told, byte by byte: for tests of agents and of their metering. */
export const createPlayback = (routes: Routes, options: PlaybackOptions = {}): Playback => {
  const { name = randomUUID().slice(0, 13), now = Date.now } = options
  const requests: PlayedRequest[] = []
  let count = 0
  const turns = new Map<string, number>()

  const playFor = (request: PlayedRequest): Play => {
    const asked = `${request.method} ${request.path}`
    const route = Object.hasOwn(routes, asked)
      ? asked
      : Object.keys(routes).find((key) => key.endsWith('*') && asked.startsWith(key.slice(0, -1)))
    const plays = route === undefined ? undefined : routes[route]
    if (route === undefined || plays === undefined) return notFound
    if (typeof plays === 'function') return plays
    const turn = turns.get(route) ?? 0
    turns.set(route, turn + 1)
    return plays[Math.min(turn, plays.length - 1)] ?? notFound
  }

  const server: Server = createServer((incoming, outgoing) => {
    count += 1
    readRequest(incoming, `${name}-${count}`, now())
      .then((request) => {
        requests.push(request)
        return write(outgoing, playFor(request)(request), request)
      })
      .catch(() => outgoing.destroy())
  })

  return {
    requests,
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const readRequest = async (incoming: IncomingMessage, id: string, at: number): Promise<PlayedRequest> => {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of incoming as AsyncIterable<Buffer>) {
    bytes += part.byteLength
    if (bytes > requestBytesMax) throw new Error(`A request may have ${requestBytesMax} bytes.`)
    parts.push(part)
  }
  const [path = '/', query = ''] = (incoming.url ?? '/').split('?', 2)
  const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]))
  return { method: incoming.method ?? 'GET', path, query, headers, body: jsonOf(Buffer.concat(parts).toString()), id, at }
}

const jsonOf = (text: string): Readonly<Record<string, unknown>> => {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

const write = async (outgoing: ServerResponse, played: Played, request: PlayedRequest): Promise<void> => {
  const { status = 200, headers = {}, body, chunks = body === undefined ? [] : [body], finish = 'end' } = played
  // As a whole with its length where it is one, in chunks as real streams are where it is not.
  const length = body !== undefined && finish === 'end' ? { 'content-length': String(Buffer.byteLength(body)) } : {}
  outgoing.writeHead(status, {
    'content-type': 'application/json',
    'x-request-id': `req_${request.id}`,
    date: new Date(request.at).toUTCString(),
    ...length,
    ...headers,
  })
  outgoing.flushHeaders()
  for (const chunk of chunks) {
    if (outgoing.destroyed) return
    await new Promise<void>((resolve) => outgoing.write(chunk, () => resolve()))
    // A turn of the event loop between chunks, so that they arrive as several.
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  if (finish === 'end') outgoing.end()
  else if (finish === 'cut') outgoing.destroy()
}

const notFound: Play = () => ({ status: 404, body: '{"error":{"message":"No such route","type":"not_found_error","code":"not_found"}}' })

/** What a played model says and used, in the terms of the ledger: none of the counts overlap. */
export interface Script {
  readonly text?: string
  readonly model?: string
  readonly input?: number
  readonly cacheRead?: number
  readonly output?: number
  readonly reasoning?: number
  /** Where a stream stops: after its end, in an error event, in a broken connection or in silence; the last three after half of the text. */
  readonly ending?: 'whole' | 'error' | 'cut' | 'hang'
  /** Pieces that the text is streamed in. Default: 4. */
  readonly pieces?: number
  /** Leaves the usage out of the answer, as some servers do. */
  readonly withoutUsage?: boolean
}

interface Scene extends Required<Omit<Script, 'pieces'>> {
  readonly id: string
  readonly seconds: number
  readonly isStream: boolean
  readonly parts: readonly string[]
}

const sceneOf = (script: Script, request: PlayedRequest, defaultModel: string, isStream: boolean): Scene => {
  const { text = 'The meter runs while the agent does.', ending = 'whole', pieces = 4 } = script
  const size = Math.max(1, Math.ceil(text.length / pieces))
  const parts = Array.from({ length: Math.ceil(text.length / size) }, (_, index) => text.slice(index * size, (index + 1) * size))
  return {
    id: request.id,
    seconds: Math.floor(request.at / 1_000),
    model: script.model ?? (typeof request.body.model === 'string' ? request.body.model : defaultModel),
    text,
    input: script.input ?? 12,
    cacheRead: script.cacheRead ?? 0,
    output: script.output ?? 9,
    reasoning: script.reasoning ?? 0,
    ending,
    withoutUsage: script.withoutUsage ?? false,
    isStream,
    parts: ending === 'whole' || !isStream ? parts : parts.slice(0, Math.ceil(parts.length / 2)),
  }
}

const eventStream = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }
const finishOf = (ending: Scene['ending']): NonNullable<Played['finish']> => (ending === 'cut' || ending === 'hang' ? ending : 'end')
const json = (value: unknown): Played => ({ body: JSON.stringify(value) })
const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const event = (value: { readonly type: string; readonly [field: string]: unknown }): string => `event: ${value.type}\n${data(value)}`

/** OpenAI's chat completions; a stream tells its usage only when asked for it. */
export const playChat =
  (script: Script = {}): Play =>
  (request) => {
    const scene = sceneOf(script, request, 'gpt-4.1-mini', request.body.stream === true)
    const usage = {
      prompt_tokens: scene.input + scene.cacheRead,
      completion_tokens: scene.output + scene.reasoning,
      total_tokens: scene.input + scene.cacheRead + scene.output + scene.reasoning,
      prompt_tokens_details: { cached_tokens: scene.cacheRead, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: scene.reasoning,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    }
    const base = {
      id: `chatcmpl-${scene.id}`,
      created: scene.seconds,
      model: scene.model,
      service_tier: 'default',
      system_fingerprint: 'fp_played',
    }
    if (!scene.isStream) {
      const message = { role: 'assistant', content: scene.text, refusal: null, annotations: [] }
      const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }]
      return json({ ...base, object: 'chat.completion', choices, ...(!scene.withoutUsage && { usage }) })
    }
    const options = request.body.stream_options as { include_usage?: boolean } | undefined
    const tells = options?.include_usage === true && !scene.withoutUsage
    const chunk = (choices: unknown, more: object = tells ? { usage: null } : {}) =>
      data({ ...base, object: 'chat.completion.chunk', choices, ...more })
    const delta = (value: object, reason: string | null = null) =>
      chunk([{ index: 0, delta: value, logprobs: null, finish_reason: reason }])
    const start = [delta({ role: 'assistant', content: '', refusal: null }), ...scene.parts.map((content) => delta({ content }))]
    const error = data({
      error: { message: 'The server had an error while processing your request.', type: 'server_error', param: null, code: 'server_error' },
    })
    const end = [delta({}, 'stop'), ...(tells ? [chunk([], { usage })] : []), 'data: [DONE]\n\n']
    const tail = scene.ending === 'whole' ? end : scene.ending === 'error' ? [error] : []
    return { headers: eventStream, chunks: [...start, ...tail], finish: finishOf(scene.ending) }
  }

/** OpenAI's responses. */
export const playResponses =
  (script: Script = {}): Play =>
  (request) => {
    const scene = sceneOf(script, request, 'gpt-4.1-mini', request.body.stream === true)
    const usage = {
      input_tokens: scene.input + scene.cacheRead,
      input_tokens_details: { cached_tokens: scene.cacheRead },
      output_tokens: scene.output + scene.reasoning,
      output_tokens_details: { reasoning_tokens: scene.reasoning },
      total_tokens: scene.input + scene.cacheRead + scene.output + scene.reasoning,
    }
    const base = {
      id: `resp_${scene.id}`,
      object: 'response',
      created_at: scene.seconds,
      model: scene.model,
      error: null,
      incomplete_details: null,
      instructions: null,
      metadata: {},
      parallel_tool_calls: true,
      service_tier: 'default',
      temperature: 1,
      tool_choice: 'auto',
      tools: [],
      top_p: 1,
    }
    const itemOf = (status: string, text: string | undefined) => ({
      id: `msg_${scene.id}`,
      type: 'message',
      status,
      role: 'assistant',
      content: text === undefined ? [] : [{ type: 'output_text', text, annotations: [] }],
    })
    const whole = { ...base, status: 'completed', output: [itemOf('completed', scene.text)], ...(!scene.withoutUsage && { usage }) }
    if (!scene.isStream) return json(whole)
    let sequence_number = 0
    const next = (type: string, value: object): string => event({ type, sequence_number: sequence_number++, ...value })
    const place = { item_id: `msg_${scene.id}`, output_index: 0, content_index: 0 }
    const open = { ...base, status: 'in_progress', output: [], usage: null }
    const start = [
      next('response.created', { response: open }),
      next('response.in_progress', { response: open }),
      next('response.output_item.added', { output_index: 0, item: itemOf('in_progress', undefined) }),
      next('response.content_part.added', { ...place, part: { type: 'output_text', text: '', annotations: [] } }),
      ...scene.parts.map((delta) => next('response.output_text.delta', { ...place, delta, logprobs: [] })),
    ]
    if (scene.ending === 'error') start.push(next('error', { code: 'server_error', message: 'The model had an error.', param: null }))
    if (scene.ending !== 'whole') return { headers: eventStream, chunks: start, finish: finishOf(scene.ending) }
    const end = [
      next('response.output_text.done', { ...place, text: scene.text, logprobs: [] }),
      next('response.content_part.done', { ...place, part: { type: 'output_text', text: scene.text, annotations: [] } }),
      next('response.output_item.done', { output_index: 0, item: itemOf('completed', scene.text) }),
      next('response.completed', { response: whole }),
    ]
    return { headers: eventStream, chunks: [...start, ...end] }
  }

/** Anthropic's messages. */
export const playMessages =
  (script: Script = {}): Play =>
  (request) => {
    const scene = sceneOf(script, request, 'claude-sonnet-4-6', request.body.stream === true)
    const usage = {
      input_tokens: scene.input,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: scene.cacheRead,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      service_tier: 'standard',
    }
    const told = scene.withoutUsage ? {} : { usage: { ...usage, output_tokens: scene.output } }
    const base = { id: `msg_${scene.id}`, type: 'message', role: 'assistant', model: scene.model }
    if (!scene.isStream) {
      return json({ ...base, content: [{ type: 'text', text: scene.text }], stop_reason: 'end_turn', stop_sequence: null, ...told })
    }
    const first = scene.withoutUsage ? {} : { usage: { ...usage, output_tokens: 1 } }
    const start = [
      event({ type: 'message_start', message: { ...base, content: [], stop_reason: null, stop_sequence: null, ...first } } as {
        type: string
      }),
      event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
      event({ type: 'ping' }),
      ...scene.parts.map((text) => event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
    ]
    const error = event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })
    if (scene.ending !== 'whole')
      return { headers: eventStream, chunks: scene.ending === 'error' ? [...start, error] : start, finish: finishOf(scene.ending) }
    const end = [
      event({ type: 'content_block_stop', index: 0 }),
      event({
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        ...(!scene.withoutUsage && { usage: { output_tokens: scene.output } }),
      }),
      event({ type: 'message_stop' }),
    ]
    return { headers: eventStream, chunks: [...start, ...end] }
  }

/** Gemini's generateContent, and its stream as server-sent events. */
export const playGemini =
  (script: Script = {}): Play =>
  (request) => {
    const named = /models\/([^:/]+):/.exec(request.path)?.[1] ?? 'gemini-2.5-flash'
    const scene = sceneOf(script, request, named, request.path.endsWith(':streamGenerateContent'))
    const usageMetadata = (output: number) => ({
      promptTokenCount: scene.input + scene.cacheRead,
      ...(scene.cacheRead > 0 && { cachedContentTokenCount: scene.cacheRead }),
      candidatesTokenCount: output,
      ...(scene.reasoning > 0 && { thoughtsTokenCount: scene.reasoning }),
      totalTokenCount: scene.input + scene.cacheRead + output + scene.reasoning,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: scene.input + scene.cacheRead }],
    })
    const part = (text: string, output: number, isLast: boolean) => ({
      candidates: [{ content: { parts: [{ text }], role: 'model' }, ...(isLast && { finishReason: 'STOP' }), index: 0 }],
      ...(!scene.withoutUsage && { usageMetadata: usageMetadata(output) }),
      modelVersion: scene.model,
      responseId: scene.id,
    })
    if (!scene.isStream) return json(part(scene.text, scene.output, true))
    const isWhole = scene.ending === 'whole'
    const chunks = scene.parts.map((text, index) => {
      const isLast = isWhole && index === scene.parts.length - 1
      return data(part(text, isLast ? scene.output : Math.min(scene.output, index + 1), isLast))
    })
    const error = data({ error: { code: 503, message: 'The model is overloaded. Please try again later.', status: 'UNAVAILABLE' } })
    return { headers: eventStream, chunks: scene.ending === 'error' ? [...chunks, error] : chunks, finish: finishOf(scene.ending) }
  }

/** Ollama's chat and generate, which stream unless told not to. */
export const playOllama =
  (script: Script = {}): Play =>
  (request) => {
    const scene = sceneOf(script, request, 'llama3.2', request.body.stream !== false)
    const base = { model: scene.model, created_at: new Date(request.at).toISOString() }
    const said = (content: string) =>
      request.path.endsWith('/generate') ? { response: content } : { message: { role: 'assistant', content } }
    const counts = scene.withoutUsage
      ? {}
      : { prompt_eval_count: scene.input, prompt_eval_duration: 41_000_000, eval_count: scene.output, eval_duration: 160_000_000 }
    const last = { done_reason: 'stop', done: true, total_duration: 212_000_000, load_duration: 9_000_000, ...counts }
    if (!scene.isStream) return json({ ...base, ...said(scene.text), ...last })
    const line = (value: object): string => `${JSON.stringify({ ...base, ...value })}\n`
    const chunks = scene.parts.map((text) => line({ ...said(text), done: false }))
    if (scene.ending === 'whole') chunks.push(line({ ...said(''), ...last }))
    if (scene.ending === 'error') chunks.push('{"error":"an error was encountered while running the model"}\n')
    return { headers: { 'content-type': 'application/x-ndjson' }, chunks, finish: finishOf(scene.ending) }
  }

/** The refusal of a provider that is asked too often, in a form that all of the clients above understand. */
export const playTooManyRequests: Play = () => ({
  status: 429,
  headers: { 'retry-after-ms': '1', 'retry-after': '0' },
  body: '{"type":"error","error":{"type":"rate_limit_error","code":"rate_limit_exceeded","message":"Too many requests"}}',
})

/** What a proxy or a captive portal answers in a provider's place. */
export const playPage: Play = () => ({
  headers: { 'content-type': 'text/html' },
  body: '<!doctype html><title>Sign in</title><p>Sign in to go on.</p>',
})
